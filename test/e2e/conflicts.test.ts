import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderDifferences } from '../support/compare-trees.js';
import { fleetTest } from '../support/fleet-test.js';
import { waitUntil } from '../support/wait-until.js';
import { writeAfter } from '../support/write-after.js';

const FILE = 'notes.txt';

fleetTest('a conflict that is resolved while both clients watch is gone from both folders', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  for (const name of ['a', 'b']) await fleet.syncOnce(name, 'shared');
  writeFileSync(join(a, FILE), 'as a has it');
  writeAfter(join(a, FILE), join(b, FILE), 'as b has it');
  for (const name of ['a', 'b', 'a']) await fleet.syncOnce(name, 'shared');
  const copy = readdirSync(a).find((name) => name.includes('conflicted'))!;

  const clients = [fleet.sync('a', 'shared'), fleet.sync('b', 'shared')];
  for (const client of clients) await client.event('that it is in sync', ({ event }) => event === 'synced');
  const listed = await fleet.run(['conflicts', a], 'a');
  expect(listed.events[0]).toMatchObject({ folder: a, conflicts: [{ path: FILE, copy }] });
  expect(await fleet.run(['conflicts', 'resolve', join(a, copy), '--keep', 'theirs'], 'a')).toMatchObject({ code: 0 });
  await waitUntil('b has it too', () => {
    return !existsSync(join(b, copy)) && readFileSync(join(b, FILE), 'utf8') === 'as a has it';
  });
  for (const client of clients) await client.end('SIGTERM');
  expect(folderDifferences(a, b)).toEqual([]);
  expect((await fleet.run(['conflicts', 'shared'], 'a')).events[0]).toMatchObject({ conflicts: [] });
});
