import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { fleetTest } from '../support/fleet-test.js';
import { readTree } from '../support/compare-trees.js';
import { seededRandom } from '../support/seeded-random.js';
import { makeTree } from '../support/trees.js';

const REFUSED = 3;

fleetTest('ls lists everything that was synced, as it is on disk', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const a = fleet.folder('a');
  makeTree(a, { seed: 9, fileCount: 50 });
  await fleet.syncOnce('a', 'shared');
  const listed = await fleet.run(['ls', 'shared', '--recursive']);
  const items = listed.events[0]!.items as { path: string; kind: string; sizeBytes?: number }[];
  const onDisk = [...readTree(a)].map(([path, state]) => {
    return state.kind === 'file' ? { path, kind: state.kind, sizeBytes: state.sizeBytes } : { path, kind: state.kind };
  });
  const byPath = (x: { path: string }, y: { path: string }): number => (x.path < y.path ? -1 : 1);
  expect(
    items.map(({ path, kind, sizeBytes }) => (kind === 'file' ? { path, kind, sizeBytes } : { path, kind })),
  ).toEqual(onDisk.sort(byPath));
});

fleetTest('cat writes exactly the bytes of a file of several blocks', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const content = seededRandom('cat').bytes(9_000_001);
  writeFileSync(join(fleet.folder('a'), 'large.bin'), content);
  await fleet.syncOnce('a', 'shared');
  const args = ['cat', 'shared/large.bin', '--home', fleet.homeOf('reader')];
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli/main.js', ...args], {
    encoding: 'buffer',
    env: { PATH: process.env.PATH },
    maxBuffer: 2 * content.length,
  });
  expect(stdout.equals(content)).toBe(true);
});

fleetTest('what is not there is said to be not there', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  expect(await fleet.run(['ls', 'elsewhere'])).toMatchObject({ code: REFUSED, error: { reason: 'NAMESPACE_UNKNOWN' } });
  expect(await fleet.run(['cat', 'shared/nothing.txt'])).toMatchObject({
    code: REFUSED,
    error: {
      reason: 'ITEM_UNKNOWN',
      message: "there is no file nothing.txt in shared; see what is there with 'drystone ls shared'",
    },
  });
  expect(await fleet.syncOnce('a', 'elsewhere')).toMatchObject({
    code: REFUSED,
    error: { reason: 'NAMESPACE_UNKNOWN' },
  });
});
