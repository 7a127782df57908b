import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { SyncSummary } from '../../../client/progress.js';
import { lying, startStagedPeer, type StagedPeerOptions } from '../../support/client/staged-peer.js';
import type { DrystoneProcess } from '../../support/drystone-process.js';
import { fleetTest } from '../../support/fleet-test.js';
import type { Fleet } from '../../support/fleet.js';
import { seededRandom } from '../../support/seeded-random.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { waitUntil } from '../../support/wait-until.js';

const AT_SITE = ['--premises', 'site-1', '--peer-listen', '127.0.0.1:0'];
const ALONE = ['--premises', 'site-1', '--no-peers'];
const SIZE = 12 * 1024 * 1024;
/** What requests and their surroundings may come to. */
const OVERHEAD_BYTES = 1024 * 1024;

/** A fleet of one site whose namespace holds one large file, sent by a client that gives nothing to others. */
async function startWithFile(fleet: Fleet): Promise<Buffer> {
  await fleet.startAll('shared', 1);
  return sendFile(fleet);
}

async function sendFile(fleet: Fleet): Promise<Buffer> {
  const content = seededRandom('a large file').bytes(SIZE);
  writeFileSync(join(fleet.folder('writer'), 'large.bin'), content);
  expect((await fleet.syncOnce('writer', 'shared', ALONE)).code).toBe(0);
  return content;
}

const egressOf = (fleet: Fleet): number => fleet.agents[0]!.network.bytesDown;

/** Starts a client that gives and takes, and waits until it has the file. */
async function startHolder(fleet: Fleet, name: string): Promise<DrystoneProcess> {
  const holder = fleet.sync(name, 'shared', AT_SITE);
  await holder.event('synced', ({ event }) => event === 'synced');
  return holder;
}

function expectWhole(fleet: Fleet, name: string, content: Buffer): void {
  expect(readFileSync(join(fleet.folder(name), 'large.bin')).equals(content)).toBe(true);
}

fleetTest('a download comes from an endpoint of the site that has the file, not from the agent', async ({ fleet }) => {
  const content = await startWithFile(fleet);
  const holder = await startHolder(fleet, 'holder');
  const before = egressOf(fleet);
  const { code, summary } = await fleet.syncOnce('late', 'shared', AT_SITE);
  expect(code).toBe(0);
  expectWhole(fleet, 'late', content);
  expect(egressOf(fleet) - before).toBeLessThan(OVERHEAD_BYTES);
  expect(summary).toMatchObject({ bytesFromSitePeers: SIZE, bytesFromSiteAgents: 0, peersBanned: 0 });
  await holder.end('SIGTERM');
  expect((holder.events.at(-1)?.summary as SyncSummary).bytesGiven).toBe(SIZE);
});

fleetTest('with --no-peers nothing is taken from others, and nothing given', async ({ fleet }) => {
  const content = await startWithFile(fleet);
  await startHolder(fleet, 'holder');
  const { summary } = await fleet.syncOnce('late', 'shared', ALONE);
  expectWhole(fleet, 'late', content);
  expect(summary).toMatchObject({ bytesFromSitePeers: 0, bytesFromSiteAgents: SIZE, peersFound: 0 });
});

fleetTest(
  'endpoints of a site that all want a file at once take it from the agent less than twice',
  { timeout: 240_000 },
  async ({ fleet }) => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await fleet.startAll('shared', 1);
    await fleet.admitDevices(names.length);
    const endpoints = names.map((name) => fleet.sync(name, 'shared', AT_SITE));
    const latest = ({ events }: DrystoneProcess): SyncSummary | undefined =>
      events.findLast(({ event }) => event === 'synced')?.summary as SyncSummary | undefined;
    let pokes = 0;
    const areAcquainted = (): boolean => {
      writeFileSync(join(fleet.folder('a'), 'poke.txt'), `poke ${++pokes}`);
      return endpoints.every((endpoint) => (latest(endpoint)?.peerSessions ?? 0) >= names.length - 1);
    };
    // They tell what they know when they are done: poked more often, on a busy machine they never would be.
    await waitUntil('all know each other', areAcquainted, 120_000, 2_000);
    const before = egressOf(fleet);
    const content = await sendFile(fleet);
    await waitUntil('all have the file', () =>
      endpoints.every((endpoint) => (latest(endpoint)?.bytesFetched ?? 0) >= SIZE),
    );
    for (const name of names) expectWhole(fleet, name, content);
    const egress = egressOf(fleet) - before;
    expect(egress).toBeGreaterThanOrEqual(SIZE);
    expect(egress).toBeLessThan(2 * SIZE);
  },
);

/** A peer at the site that has the file and does not behave. */
async function stage(fleet: Fleet, content: Buffer, behaviour: Partial<StagedPeerOptions>): Promise<void> {
  const peer = await startStagedPeer({
    home: fleet.homeOf('staged'),
    metadata: fleet.metadata.address,
    namespace: 'shared',
    premises: 'site-1',
    content,
    ...behaviour,
  });
  onTestFinished(() => peer.close());
}

fleetTest('a peer that lies is found out, banned and done without', async ({ fleet }) => {
  const content = await startWithFile(fleet);
  await stage(fleet, content, { change: lying });
  const { code, summary } = await fleet.syncOnce('reader', 'shared', AT_SITE);
  expect(code).toBe(0);
  expectWhole(fleet, 'reader', content);
  expect(summary).toMatchObject({ peersBanned: 1, bytesFromSitePeers: 0, bytesFromSiteAgents: SIZE });
});

fleetTest('a peer that stalls in mid-download is done without', async ({ fleet }) => {
  const content = await startWithFile(fleet);
  const network = await startTcpProxy();
  onTestFinished(() => network.close());
  let given = 0;
  await stage(fleet, content, {
    advertise: (address) => ((network.target = address), network.address),
    change: (held) => ({
      sizes: (id, hashes) => held.sizes(id, hashes),
      async get(id, hashes) {
        if (++given === 4) network.stall();
        return held.get(id, hashes);
      },
    }),
  });
  const { code, summary } = await fleet.syncOnce('reader', 'shared', AT_SITE);
  expect(code).toBe(0);
  expectWhole(fleet, 'reader', content);
  expect(summary?.bytesFromSiteAgents).toBeGreaterThan(0);
  expect(summary).toMatchObject({ bytesFetched: SIZE, peersBanned: 0 });
});

fleetTest('a peer that disappears in mid-download is done without', async ({ fleet }) => {
  const content = await startWithFile(fleet);
  const holder = fleet.sync('holder', 'shared', [...AT_SITE, '--max-upload-rate', '3MB']);
  await holder.event('synced', ({ event }) => event === 'synced');
  const reader = fleet.sync('reader', 'shared', [...AT_SITE, '--once']);
  await reader.event('that some of it has come', ({ bytesDone }) => Number(bytesDone) > SIZE / 4);
  await holder.end('SIGKILL');
  expect((await reader.exited).code).toBe(0);
  expectWhole(fleet, 'reader', content);
  const summary = reader.events.findLast(({ event }) => event === 'finished')?.summary as SyncSummary;
  expect(summary.bytesFromSitePeers).toBeGreaterThan(0);
  expect(summary.bytesFromSiteAgents).toBeGreaterThan(0);
});
