import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderDifferences } from '../support/compare-trees.js';
import { fleetTest } from '../support/fleet-test.js';
import type { Fleet } from '../support/fleet.js';
import { makeTree } from '../support/trees.js';

async function renameAndSync(fleet: Fleet, from: string, to: string) {
  await fleet.startAll('shared', 1);
  makeTree(fleet.folder('a'), { seed: 6, fileCount: 200 });
  await fleet.syncOnce('a', 'shared');
  await fleet.syncOnce('b', 'shared');
  renameSync(join(fleet.folder('a'), from), join(fleet.folder('a'), to));
  const sent = fleet.agents[0]!.network.bytesUp;
  const up = await fleet.syncOnce('a', 'shared');
  const down = await fleet.syncOnce('b', 'shared');
  expect(folderDifferences(fleet.folder('a'), fleet.folder('b'))).toEqual([]);
  return { up, down, bytesToAgent: fleet.agents[0]!.network.bytesUp - sent };
}

fleetTest('a renamed file moves no block in either direction', async ({ fleet }) => {
  const { up, down } = await renameAndSync(fleet, 'odd/two words.txt', 'odd/three words now.txt');
  expect(up).toMatchObject({ code: 0, summary: { blocksUploaded: 0, bytesUploaded: 0 } });
  expect(down).toMatchObject({ code: 0, summary: { blocksFetched: 0, bytesFetched: 0, filesMoved: 1 } });
  expect(readFileSync(join(fleet.folder('b'), 'odd/three words now.txt'), 'utf8')).toBe('content of two words.txt');
});

fleetTest('a renamed directory with everything in it moves no block in either direction', async ({ fleet }) => {
  const { up, down, bytesToAgent } = await renameAndSync(fleet, 'top', 'summit');
  expect(up).toMatchObject({ code: 0, summary: { blocksUploaded: 0, bytesUploaded: 0 } });
  expect(down).toMatchObject({ code: 0, summary: { blocksFetched: 0, bytesFetched: 0 } });
  expect(down.summary!.filesMoved).toBeGreaterThan(100);
  expect(bytesToAgent).toBeLessThan(20_000);
});
