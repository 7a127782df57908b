import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { clientLimits } from '../../../common/limits.js';
import { folderDifferences } from '../../support/compare-trees.js';
import { fleetTest } from '../../support/fleet-test.js';
import { watchSizes } from '../../support/partial-files.js';
import { seededRandom } from '../../support/seeded-random.js';
import { waitUntil } from '../../support/wait-until.js';

const MIB = 1024 * 1024;
const FILE_BYTES = 160 * MIB;
/** More than may be on its way without an answer, so that something has been acknowledged before the kill. */
const KILL_AFTER_BYTES = 110 * MIB;
/** What travels beside the blocks: hashes, headers, receipts. */
const OVERHEAD_BYTES = 4 * MIB;

fleetTest(
  'a client killed in mid-upload goes on where it was: what was acknowledged is not sent again',
  async ({ fleet }) => {
    await fleet.startAll('shared', 1);
    const agent = fleet.agents[0]!;
    writeFileSync(join(fleet.folder('a'), 'large.bin'), seededRandom('upload').bytes(FILE_BYTES));

    agent.network.bytesPerSecond = 100 * MIB;
    const first = fleet.sync('a', 'shared', ['--once']);
    await waitUntil('much of the file is sent', () => agent.network.bytesUp > KILL_AFTER_BYTES);
    await first.end('SIGKILL');
    const sentFirst = agent.network.bytesUp;
    expect(sentFirst).toBeLessThan(FILE_BYTES);

    agent.network.bytesPerSecond = Infinity;
    const second = await fleet.syncOnce('a', 'shared');
    expect(second).toMatchObject({ code: 0, summary: { problems: 0, conflicts: 0 } });
    const sentAgain = sentFirst + second.summary!.bytesUploaded - FILE_BYTES;
    expect(sentAgain).toBeLessThan(clientLimits.uploadBytesInFlight + OVERHEAD_BYTES);

    expect(await fleet.syncOnce('b', 'shared')).toMatchObject({ code: 0 });
    expect(folderDifferences(fleet.folder('a'), fleet.folder('b'))).toEqual([]);
  },
);

fleetTest('a client killed in mid-download shows no half file and fetches only the rest', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const agent = fleet.agents[0]!;
  writeFileSync(join(fleet.folder('a'), 'large.bin'), seededRandom('download').bytes(FILE_BYTES));
  await fleet.syncOnce('a', 'shared');

  const lookout = watchSizes(join(fleet.folder('b'), 'large.bin'));
  agent.network.bytesPerSecond = 100 * MIB;
  const first = fleet.sync('b', 'shared', ['--once']);
  await waitUntil('much of the file has arrived', () => agent.network.bytesDown > KILL_AFTER_BYTES);
  await first.end('SIGKILL');
  const receivedFirst = agent.network.bytesDown;
  expect(receivedFirst).toBeLessThan(FILE_BYTES);
  expect(lookout.sizes).toEqual([]);

  agent.network.bytesPerSecond = Infinity;
  const second = await fleet.syncOnce('b', 'shared');
  await lookout.stop();
  expect(second).toMatchObject({ code: 0, summary: { problems: 0, conflicts: 0 } });
  const fetchedAgain = receivedFirst + second.summary!.bytesFetched - FILE_BYTES;
  expect(fetchedAgain).toBeLessThan(clientLimits.downloadBytesInFlight + OVERHEAD_BYTES);
  expect(lookout.sizes).toEqual([FILE_BYTES]);
  expect(folderDifferences(fleet.folder('a'), fleet.folder('b'))).toEqual([]);
});

fleetTest(
  'clients killed again and again in the middle of many small files end with the same folder',
  async ({ fleet }) => {
    await fleet.startAll('shared', 1);
    const a = fleet.folder('a');
    const random = seededRandom('small files');
    for (let index = 0; index < 3000; index++) writeFileSync(join(a, `file ${index}`), random.bytes(2000));
    for (const name of ['a', 'b']) {
      for (const delayMs of [300, 500, 700]) {
        const client = fleet.sync(name, 'shared', ['--once']);
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        await client.end('SIGKILL');
      }
      expect(await fleet.syncOnce(name, 'shared')).toMatchObject({ code: 0, summary: { problems: 0, conflicts: 0 } });
    }
    expect(folderDifferences(a, fleet.folder('b'))).toEqual([]);
  },
);
