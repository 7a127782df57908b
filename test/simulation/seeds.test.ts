import { describe, expect, it, test } from 'vitest';
import { regressions } from '../regressions/seeds.js';
import { runSeed, type PeersChoice } from './run-seed.js';

/** For how long fresh seeds are run. */
const SECONDS = Number(process.env.DRYSTONE_SIMULATION_SECONDS ?? '8');
/** At the most: with the same from the start, a failure is found again. */
const SEEDS = Number(process.env.DRYSTONE_SIMULATION_SEEDS ?? '100000');
const FROM = Number(process.env.DRYSTONE_SIMULATION_FROM ?? Math.floor(Date.now() / 1000));

async function problemsOf(seed: number, peers: PeersChoice): Promise<readonly string[]> {
  const { problems } = await runSeed(seed, { peers });
  const command = `npm run simulate -- --from ${seed} --peers ${peers === 'some' ? peers : peers ? 'yes' : 'no'} --trace`;
  return problems.map((problem) => `seed ${seed}: ${problem}; see it with: ${command}`);
}

describe('a fleet under a seed', () => {
  test('fresh seeds end with the same folders everywhere, and nothing lost', async () => {
    const endMs = performance.now() + SECONDS * 1000;
    let seed = FROM;
    for (; seed < FROM + SEEDS && performance.now() < endMs; seed++) expect(await problemsOf(seed, false)).toEqual([]);
    console.log(`${seed - FROM} seeds from ${FROM}`);
  });

  test.each([...regressions])('seed $seed: $found', async ({ seed, peers }) => {
    expect(await problemsOf(seed, peers === true)).toEqual([]);
  });

  it('does the same for the same seed, event by event', async () => {
    for (const [seed, peers] of [
      [FROM, false],
      [FROM + 1, true],
      [FROM + 2, true],
    ] as const) {
      const [first, second] = [await runSeed(seed, { peers }), await runSeed(seed, { peers })];
      expect(second.digest).toBe(first.digest);
      expect(second.events).toBe(first.events);
      expect((await runSeed(seed + 1, { peers })).digest).not.toBe(first.digest);
    }
  });
});
