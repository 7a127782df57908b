import { expect, test } from 'vitest';
import { plantedFaults } from './faults/index.js';
import { runSeed } from './run-seed.js';

/** Faults that show early enough for a test run; `npm run simulate -- --faults` plants all of them. */
const EARLY = new Set(['merge-drops-loser', 'receipt-before-sync', 'synced-before-the-file-is-durable']);
const SEEDS = 40;

test.each(plantedFaults.filter(({ name }) => EARLY.has(name)))('$name is found: $what', async ({ faults }) => {
  let problems: readonly string[] = [];
  for (let seed = 1; problems.length === 0 && seed <= SEEDS; seed++) ({ problems } = await runSeed(seed, { faults }));
  expect(problems).not.toEqual([]);
});
