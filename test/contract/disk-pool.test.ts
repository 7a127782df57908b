import { expect, test } from 'vitest';
import { startDiskPool } from '../../client/act/disk/disk-pool.js';
import { clientLimits } from '../../common/limits.js';
import { warningsDuring } from '../support/warnings.js';

const workerFile = new URL('../../dist/client/act/disk/disk-worker.js', import.meta.url);

const folder = { root: '/nowhere', temporaryDirectory: '/nowhere/tmp', changes: [] };

test('a worker file that is not there is an error, not a wait', async () => {
  const disk = startDiskPool({ workerFile: new URL('file:///nowhere.js') });
  await expect(disk.changeFolder(folder)).rejects.toMatchObject({ code: 'INTERNAL' });
  await expect(disk.changeFolder(folder)).rejects.toMatchObject({ code: 'INTERNAL' });
  await disk.close();
});

test('a closed disk refuses with CANCELLED', async () => {
  const disk = startDiskPool();
  await disk.close();
  await expect(disk.changeFolder(folder)).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('as many tasks as may wait for a thread are no leak', async () => {
  const disk = startDiskPool({ workerFile });
  const copying = { source: '/nowhere/source', target: '/nowhere/target', blocks: [] };
  const count = clientLimits.diskTasksQueued + clientLimits.diskThreads;
  const warnings = await warningsDuring(async () => {
    const tasks = Array.from({ length: count }, () => disk.copyBlocks(copying));
    await expect(disk.copyBlocks(copying)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await Promise.all(tasks);
  });
  expect(warnings).toEqual([]);
  await disk.close();
});
