import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderDifferences } from '../../support/compare-trees.js';
import { fleetTest } from '../../support/fleet-test.js';
import { finish } from '../../support/fleet.js';
import { seededRandom } from '../../support/seeded-random.js';
import { makeTree } from '../../support/trees.js';
import { waitUntil } from '../../support/wait-until.js';

const MIB = 1024 * 1024;

fleetTest(
  'an agent killed in mid-put has every block that it acknowledged, and the upload goes on',
  async ({ fleet }) => {
    await fleet.startAll('shared', 1);
    const agent = fleet.agents[0]!;
    const size = 120 * MIB;
    writeFileSync(join(fleet.folder('a'), 'large.bin'), seededRandom('agent').bytes(size));
    agent.network.bytesPerSecond = 100 * MIB;
    const client = fleet.sync('a', 'shared', ['--once']);
    await waitUntil('half the file is sent', () => agent.network.bytesUp > size / 2);
    await agent.server.restart('SIGKILL');
    agent.network.bytesPerSecond = Infinity;

    const finished = await finish(client);
    expect(finished).toMatchObject({ code: 0, summary: { problems: 0 } });
    // What was sent in vain is no progress: a file that breaks off is no larger for it.
    expect(Math.max(...client.events.map(({ bytesTotal }) => Number(bytesTotal ?? 0)))).toBe(size);
    // The client was told to send nothing twice that was acknowledged: what is whole now was kept by the killed agent.
    expect(await fleet.syncOnce('b', 'shared')).toMatchObject({ code: 0, summary: { problems: 0 } });
    expect(folderDifferences(fleet.folder('a'), fleet.folder('b'))).toEqual([]);
  },
);

fleetTest('an agent killed after a commit still has every block of it', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  makeTree(fleet.folder('a'), { seed: 7, fileCount: 500 });
  await fleet.syncOnce('a', 'shared');
  await fleet.agents[0]!.server.restart('SIGKILL');
  expect(await fleet.syncOnce('b', 'shared')).toMatchObject({ code: 0, summary: { problems: 0 } });
  expect(folderDifferences(fleet.folder('a'), fleet.folder('b'))).toEqual([]);
});

fleetTest(
  'metadata killed again and again while a client commits loses nothing that it acknowledged',
  async ({ fleet }) => {
    await fleet.startAll('shared', 1);
    const [a, b] = [fleet.folder('a'), fleet.folder('b')];
    const clients = [fleet.sync('a', 'shared'), fleet.sync('b', 'shared')];
    for (let round = 0; round < 4; round++) {
      for (let index = 0; index < 400; index++)
        writeFileSync(join(a, `${round}-${index}`), `content ${round} ${index}`);
      await new Promise((resolve) => setTimeout(resolve, 150 + 100 * round));
      await fleet.metadata.restart('SIGKILL');
    }
    await waitUntil('both folders are the same', () => folderDifferences(a, b).length === 0);
    for (const client of clients) expect(await client.end('SIGTERM')).toEqual({ code: 0, signal: null });
    const listed = await fleet.run(['ls', 'shared']);
    expect((listed.events[0]!.items as unknown[]).length).toBe(1600);
  },
);

fleetTest('an upload that begins and goes on while metadata is away ends after its return', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  const client = fleet.sync('a', 'shared');
  await client.event('that it is in sync', ({ event }) => event === 'synced');
  await fleet.metadata.end('SIGKILL');
  writeFileSync(join(a, 'made meanwhile.bin'), seededRandom('away').bytes(5 * MIB));
  await client.event('that it waits', ({ event }) => event === 'waiting');
  appendFileSync(join(a, 'made meanwhile.bin'), 'and changed meanwhile');
  await fleet.metadata.start();
  await client.event('that it is in sync again', ({ event, summary }) => {
    return event === 'synced' && (summary as { itemsCommitted: number }).itemsCommitted > 0;
  });
  expect(await fleet.syncOnce('b', 'shared')).toMatchObject({ code: 0 });
  expect(folderDifferences(a, b)).toEqual([]);
});

fleetTest('connections that are cut and stall in the middle of a transfer only cost time', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const { network } = fleet.agents[0]!;
  writeFileSync(join(fleet.folder('a'), 'large.bin'), seededRandom('cuts').bytes(80 * MIB));
  for (const name of ['a', 'b']) {
    network.bytesPerSecond = 60 * MIB;
    const before = network.bytesUp + network.bytesDown;
    const client = fleet.sync(name, 'shared', ['--once']);
    for (const share of [10, 30]) {
      await waitUntil(`${share} MiB have passed`, () => network.bytesUp + network.bytesDown - before > share * MIB);
      network.cut();
      fleet.metadataNetwork.cut();
    }
    network.stall();
    await new Promise((resolve) => setTimeout(resolve, 300));
    network.resume();
    network.bytesPerSecond = Infinity;
    expect(await finish(client)).toMatchObject({ code: 0, summary: { problems: 0 } });
  }
  expect(folderDifferences(fleet.folder('a'), fleet.folder('b'))).toEqual([]);
});

fleetTest('servers told to end finish what they have begun', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  makeTree(fleet.folder('a'), { seed: 8, fileCount: 50 });
  const client = fleet.sync('a', 'shared');
  await client.event('that it is in sync', ({ event }) => event === 'synced');
  expect(await fleet.agents[0]!.server.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(await fleet.metadata.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(await client.end('SIGTERM')).toEqual({ code: 0, signal: null });
});
