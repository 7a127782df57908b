import { expect } from 'vitest';
import { containerTest } from '../support/container/container-test.js';
import { untilAlike, untilSeen, type SyncedFolder } from '../support/container/synced-folder.js';

const FILE_BYTES = 16_000_000;

/** What a folder has fetched so often the file, once it has. */
async function fetchedBy(folder: SyncedFolder, times: number) {
  return untilSeen(`the file was fetched ${times} times`, async () => {
    const summary = await folder.summary();
    return summary.bytesFetched >= times * FILE_BYTES && summary;
  });
}

containerTest('a peer that lies is found out, banned for good, and done without', async ({ fleet }) => {
  await fleet.startAgent('berlin');
  await fleet.createNamespace('shared', 1);
  const ana = await fleet.startClient('berlin', 'ana', 'shared');
  await ana.shell(`head -c ${FILE_BYTES} /dev/urandom > true.bin`);
  await untilSeen('the file is in the namespace', async () => (await ana.summary()).itemsCommitted === 1);
  const liar = await fleet.startLiar('berlin', 'shared', FILE_BYTES);
  const lies = async (): Promise<number> => (await liar.events()).filter(({ event }) => event === 'lied').length;

  const ben = await fleet.startClient('berlin', 'ben', 'shared');
  const truth = await untilAlike([ana, ben], ['true.bin']);
  const first = await fetchedBy(ben, 1);
  expect(first).toMatchObject({ peersBanned: 1, bytesFetched: FILE_BYTES });
  expect(first.bytesFromSitePeers + first.bytesFromSiteAgents).toBe(FILE_BYTES);
  const told = await lies();
  expect(told).toBeGreaterThan(0);

  await ana.shell('mv true.bin ..');
  await untilSeen('the file is gone', async () => (await ben.listing()) === '');
  await ana.shell('mv ../true.bin .');
  expect(await untilAlike([ana, ben], ['true.bin'])).toBe(truth);
  expect(await fetchedBy(ben, 2)).toMatchObject({ peersBanned: 1, bytesFetched: 2 * FILE_BYTES });
  expect(await lies()).toBe(told);

  const eva = await fleet.startClient('berlin', 'eva', 'shared');
  expect(await untilAlike([ana, ben, eva], ['true.bin'])).toBe(truth);
  expect(await fetchedBy(eva, 1)).toMatchObject({ peersBanned: 1 });
  expect(await lies()).toBeGreaterThan(told);
});
