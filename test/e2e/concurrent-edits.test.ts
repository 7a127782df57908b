import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderDifferences } from '../support/compare-trees.js';
import { fleetTest } from '../support/fleet-test.js';
import type { Fleet } from '../support/fleet.js';
import { writeAfter } from '../support/write-after.js';

const FILE = 'notes.txt';

/** Both folders hold the file, both clients have stopped. */
async function shareFile(fleet: Fleet): Promise<{ a: string; b: string }> {
  await fleet.startAll('shared', 1);
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  writeFileSync(join(a, FILE), 'as it was');
  await fleet.syncOnce('a', 'shared');
  await fleet.syncOnce('b', 'shared');
  return { a, b };
}

/** Syncs both until nothing is left to tell each other. */
async function settle(fleet: Fleet): Promise<number> {
  let conflicts = 0;
  for (const name of ['a', 'b', 'a', 'b']) {
    const finished = await fleet.syncOnce(name, 'shared');
    expect(finished.code).toBe(0);
    conflicts += finished.summary!.conflicts;
  }
  expect(folderDifferences(fleet.folder('a'), fleet.folder('b'))).toEqual([]);
  return conflicts;
}

function contents(root: string): string[] {
  const names = readdirSync(root).filter((name) => name !== '.drystone');
  return names.map((name) => readFileSync(join(root, name), 'utf8')).sort();
}

fleetTest('of two edits at once both are kept: one in place, one as a single conflicted copy', async ({ fleet }) => {
  const { a, b } = await shareFile(fleet);
  writeFileSync(join(a, FILE), 'as a wants it');
  writeAfter(join(a, FILE), join(b, FILE), 'as b wants it');
  expect(await settle(fleet)).toBe(1);
  expect(contents(a)).toEqual(['as a wants it', 'as b wants it']);
  expect(contents(b)).toEqual(contents(a));
  expect(readFileSync(join(a, FILE), 'utf8'), 'what was saved last stands').toBe('as b wants it');
  const copy = readdirSync(a).find((name) => name !== FILE && name !== '.drystone');
  expect(copy).toMatch(/^notes \(conflicted copy, .+\)\.txt$/);
});

fleetTest('the same edit at both sides is no conflict', async ({ fleet }) => {
  const { a, b } = await shareFile(fleet);
  for (const root of [a, b]) writeFileSync(join(root, FILE), 'as both want it');
  expect(await settle(fleet)).toBe(0);
  expect(contents(a)).toEqual(['as both want it']);
});

fleetTest('an edit survives a deletion at the other side, whichever came first', async ({ fleet }) => {
  const { a, b } = await shareFile(fleet);
  rmSync(join(a, FILE));
  writeFileSync(join(b, FILE), 'b still needs it');
  await settle(fleet);
  expect(contents(a)).toEqual(['b still needs it']);

  rmSync(join(b, FILE));
  writeFileSync(join(a, FILE), 'now a needs it');
  await settle(fleet);
  expect(contents(b)).toEqual(['now a needs it']);
});

fleetTest('two new files of one name are both kept', async ({ fleet }) => {
  const { a, b } = await shareFile(fleet);
  writeFileSync(join(a, 'new.txt'), 'by a');
  writeFileSync(join(b, 'new.txt'), 'by b');
  expect(await settle(fleet)).toBe(1);
  expect(contents(b)).toEqual(['as it was', 'by a', 'by b']);
});

fleetTest('edits of one file at both sides while both clients watch lose nobody’s bytes', async ({ fleet }) => {
  const { a, b } = await shareFile(fleet);
  const clients = [fleet.sync('a', 'shared'), fleet.sync('b', 'shared')];
  for (const client of clients) await client.event('that it is in sync', ({ event }) => event === 'synced');
  writeFileSync(join(a, FILE), 'live, by a');
  writeFileSync(join(b, FILE), 'live, by b');
  for (const client of clients) {
    await Promise.race([
      client.event('a conflict', ({ event }) => event === 'conflict'),
      ...clients.map((other) => other.event('a conflict', ({ event }) => event === 'conflict')),
    ]);
  }
  for (const client of clients) await client.end('SIGTERM');
  await settle(fleet);
  expect(contents(a)).toEqual(expect.arrayContaining(['live, by a', 'live, by b']));
});
