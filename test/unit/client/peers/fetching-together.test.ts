import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import type { BlockSource } from '../../../../client/act/download/block-source.js';
import type { FileContent } from '../../../../common/feed/item.js';
import { systemClock } from '../../../../common/clock.js';
import { clientLimits, wireLimits } from '../../../../common/limits.js';
import type { BlockMetrics } from '../../../../server/block-metrics.js';
import type { Block } from '../../../../server/block.js';
import type { BlockReader } from '../../../../server/block-store.js';
import { MemoryBlockStore } from '../../../../server/memory-block-store.js';
import { MeteredBlockStore } from '../../../../server/metered-block-store.js';
import { startBlockServer, type BlockServerPair } from '../../../support/blocks/block-server.js';
import { hashesOf, manyBlocks, NAMESPACE } from '../../../support/blocks/sample-blocks.js';
import { PeerEndpoint } from '../../../support/client/peer-endpoint.js';
import { waitUntil } from '../../../support/wait-until.js';
import { warningsDuring } from '../../../support/warnings.js';
import { startTcpProxy } from '../../../support/tcp-proxy.js';

const BLOCK_BYTES = 16 * 1024;
const BLOCKS = 96;
const blocks = manyBlocks('a large file', BLOCKS, BLOCK_BYTES);
const wholeFile = Buffer.concat(blocks.map(({ data }) => data));
const SIZE = wholeFile.length;

let agent: BlockServerPair;

beforeEach(async () => {
  const metered = (metrics: BlockMetrics) => new MeteredBlockStore(new MemoryBlockStore(), metrics, systemClock);
  agent = await startBlockServer({ createStore: metered });
  onTestFinished(() => agent.close());
  await agent.store.put(NAMESPACE, blocks);
});

function contentOf(list: readonly Block[]): FileContent {
  const sizes = list.map(({ data }) => data.length);
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
  return { kind: 'file', sizeBytes, modifiedAtMs: 0, executable: false, blocks: { hashes: hashesOf(list), sizes } };
}

const egress = (): Promise<number> => agent.metric('drystone_agent_get_bytes_total');

async function endpoints(count: number): Promise<PeerEndpoint[]> {
  const all: PeerEndpoint[] = [];
  for (let index = 0; index < count; index++) all.push(await PeerEndpoint.start(agent.fleet));
  return all;
}

async function fetchAt(endpoint: PeerEndpoint, name = 'large'): Promise<void> {
  await endpoint.fetch([await endpoint.learn(name, contentOf(blocks))], [endpoint.agentSource(agent)]);
  expect(endpoint.outcomes.map(({ outcome }) => outcome)).toEqual(['fetched']);
  expect(readFileSync(endpoint.path(name)).equals(wholeFile)).toBe(true);
}

it('20 endpoints of a site that want a file at once take it from the agent less than twice', async () => {
  const all = await endpoints(20);
  for (const endpoint of all) await endpoint.meet(all);
  expect(all.map((endpoint) => endpoint.directory.sources().length)).toEqual(all.map(() => 19));
  await Promise.all(all.map((endpoint) => fetchAt(endpoint)));
  const fromAgents = all.reduce((sum, { tally }) => sum + tally.summary().bytesFromSiteAgents, 0);
  const fromPeers = all.reduce((sum, { tally }) => sum + tally.summary().bytesFromSitePeers, 0);
  expect(fromAgents).toBe(await egress());
  expect(fromAgents).toBeGreaterThanOrEqual(SIZE);
  expect(fromAgents).toBeLessThan(2 * SIZE);
  expect(fromAgents + fromPeers).toBe(20 * SIZE);
}, 120_000);

it('what an endpoint of the site has already does not come from the agent again', async () => {
  const [first, second] = (await endpoints(2)) as [PeerEndpoint, PeerEndpoint];
  await fetchAt(first);
  const before = await egress();
  await second.meet([first]);
  await fetchAt(second);
  expect(await egress()).toBe(before);
  expect(second.tally.summary()).toMatchObject({ bytesFromSitePeers: SIZE, bytesFromSiteAgents: 0 });
  expect(first.tally.summary().bytesGiven).toBe(SIZE);
});

it('a file that has changed, or is gone, is not given, and comes from the agent', async () => {
  const [first, second] = (await endpoints(2)) as [PeerEndpoint, PeerEndpoint];
  await fetchAt(first);
  await second.meet([first]);
  const changed = Buffer.from(wholeFile);
  changed.fill(7, 0, SIZE / 2);
  writeFileSync(first.path('large'), changed);
  await fetchAt(second);
  const { bytesFromSitePeers, bytesFromSiteAgents } = second.tally.summary();
  expect([bytesFromSitePeers, bytesFromSiteAgents]).toEqual([SIZE / 2, SIZE / 2]);
  rmSync(first.path('large'));
  const third = await PeerEndpoint.start(agent.fleet);
  await third.meet([first]);
  await fetchAt(third);
  expect(third.tally.summary().bytesFromSiteAgents).toBe(SIZE);
});

it('a peer that sends wrong bytes is banned, and nothing of what it sent is kept', async () => {
  const lie = (given: BlockReader): BlockReader => ({
    sizes: (id, hashes) => given.sizes(id, hashes),
    get: async (id, hashes) => (await given.get(id, hashes)).map((data) => data && Buffer.alloc(data.length, 1)),
  });
  const liar = await PeerEndpoint.start(agent.fleet, lie);
  await fetchAt(liar);
  const victim = await PeerEndpoint.start(agent.fleet);
  await victim.meet([liar]);
  await fetchAt(victim);
  expect(victim.tally.summary()).toMatchObject({ peersBanned: 1, bytesFromSitePeers: 0, bytesFromSiteAgents: SIZE });
  await victim.meet([liar]);
  expect(victim.directory.sources()).toEqual([]);
});

it.each<[how: string, disturb: (network: Awaited<ReturnType<typeof startTcpProxy>>) => void]>([
  ['falls silent', (network) => network.stall()],
  [
    'disappears',
    (network) => {
      network.target = undefined;
      network.cut();
    },
  ],
])(
  'a peer that %s in mid-download is done without',
  async (_how, disturb) => {
    const [first, second] = (await endpoints(2)) as [PeerEndpoint, PeerEndpoint];
    await fetchAt(first);
    const network = await startTcpProxy(first.address);
    onTestFinished(() => network.close());
    network.bytesPerSecond = 1_000_000;
    await second.meet([{ deviceId: first.deviceId, address: network.address }]);
    const fetching = fetchAt(second);
    const watch = setInterval(() => {
      if (second.tally.summary().bytesFromSitePeers < 5 * BLOCK_BYTES) return;
      clearInterval(watch);
      disturb(network);
    }, 5);
    onTestFinished(() => clearInterval(watch));
    await fetching;
    const { bytesFromSitePeers, bytesFromSiteAgents } = second.tally.summary();
    expect(bytesFromSitePeers).toBeGreaterThanOrEqual(5 * BLOCK_BYTES);
    expect(bytesFromSiteAgents).toBe(SIZE - bytesFromSitePeers);
  },
  30_000,
);

it('an endpoint gives what it is fetching itself as soon as it has it, before its own file is whole', async () => {
  const [first, second] = (await endpoints(2)) as [PeerEndpoint, PeerEndpoint];
  const network = await startTcpProxy(agent.rpc.address);
  onTestFinished(() => network.close());
  const operation = await first.learn('large', contentOf(blocks));
  network.bytesPerSecond = 1_500_000;
  const slow = first.fetch([operation], [first.agentSource(agent, network.address)]);
  await second.meet([first]);
  // Nobody but the first endpoint can be asked.
  await second.fetch([await second.learn('large', contentOf(blocks))], []);
  await slow;
  const given = first.tally.summary().bytesGiven;
  expect(given).toBeGreaterThan(0);
  expect(given).toBe(second.tally.summary().bytesFromSitePeers);
});

it('gives nothing of a file that the namespace does not have, also to one who knows its hash', async () => {
  const [first, second] = (await endpoints(2)) as [PeerEndpoint, PeerEndpoint];
  await fetchAt(first);
  await first.store.write({ forgetRemote: true });
  await second.meet([first]);
  await second.fetch([await second.learn('large', contentOf(blocks))], []);
  // What came with the last download is known to be the namespace's until the next begins.
  first.coming.begin([]);
  const third = await PeerEndpoint.start(agent.fleet);
  await third.meet([first]);
  await third.fetch([await third.learn('large', contentOf(blocks))], []);
  expect(third.outcomes.map(({ outcome }) => outcome)).toEqual(['unavailable']);
  expect(third.tally.summary().bytesFetched).toBe(0);
});

it('a file that does not fit on the disk is postponed before anything of it is fetched, and others are not', async () => {
  const endpoint = await PeerEndpoint.start(agent.fleet);
  endpoint.freeBytes = SIZE;
  const first = blocks.slice(0, 1);
  const [large, small] = [contentOf(blocks), contentOf(first)];
  const sources = [endpoint.agentSource(agent)];
  await endpoint.fetch([await endpoint.learn('large', large), await endpoint.learn('small', small)], sources);
  expect(endpoint.outcomes).toEqual([
    expect.objectContaining({
      outcome: 'postponed',
      problem: `the disk has no room for the ${SIZE} bytes that it needs; make room for 1 MiB more`,
    }),
    expect.objectContaining({ outcome: 'fetched' }),
  ]);
  expect(await egress()).toBe(BLOCK_BYTES);
  endpoint.freeBytes = SIZE + 1;
  await endpoint.fetch([await endpoint.learn('large', large)], sources);
  expect(endpoint.outcomes.at(-1)).toMatchObject({ outcome: 'fetched' });
});

it('small files that do not all fit are fetched as long as they do', async () => {
  const endpoint = await PeerEndpoint.start(agent.fleet);
  endpoint.freeBytes = 2 * BLOCK_BYTES + 1;
  const operations = await Promise.all(
    blocks.slice(0, 3).map((block, index) => endpoint.learn(`small ${index}`, contentOf([block]))),
  );
  await endpoint.fetch(operations, [endpoint.agentSource(agent)]);
  expect(endpoint.outcomes.map(({ outcome }) => outcome).sort()).toEqual(['fetched', 'fetched', 'postponed']);
  expect(await egress()).toBe(2 * BLOCK_BYTES);
});

it('many files that wait for an agent that has fallen silent are no leak', async () => {
  const endpoint = await PeerEndpoint.start(agent.fleet);
  const leaving = new AbortController();
  const gone = new Promise((resolve) => leaving.signal.addEventListener('abort', resolve));
  const silent: BlockSource = {
    ...endpoint.agentSource(agent),
    blocks: {
      ...endpoint.agentSource(agent).blocks,
      get: async function* () {
        await gone;
        yield* [];
      },
    },
  };
  const sizes = [wireLimits.blockBytes, wireLimits.blockBytes];
  const hashes = hashesOf(blocks.slice(0, 2));
  const content = { ...contentOf(blocks), sizeBytes: 2 * wireLimits.blockBytes, blocks: { hashes, sizes } };
  const names = Array.from({ length: clientLimits.filesInFlight }, (_, index) => `file ${index}`);
  const operations = await Promise.all(names.map((name) => endpoint.learn(name, content)));
  const warnings = await warningsDuring(async () => {
    const fetching = endpoint.fetch(operations, [silent], leaving.signal);
    await waitUntil(
      'all files are under way',
      () => readdirSync(endpoint.places.temporaryDirectory).length === names.length,
    );
    leaving.abort(new Error('over'));
    await expect(fetching).rejects.toThrow('over');
  });
  expect(warnings).toEqual([]);
});
