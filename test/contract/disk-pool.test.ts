import { expect, test } from 'vitest';
import { startDiskPool } from '../../client/act/disk/disk-pool.js';

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
