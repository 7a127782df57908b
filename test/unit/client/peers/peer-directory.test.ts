import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { PeerDirectory } from '../../../../client/peers/peer-directory.js';
import { SyncTally } from '../../../../client/tally.js';
import { DrystoneError } from '../../../../common/errors.js';
import type { DeviceId, NamespaceId } from '../../../../common/ids.js';
import { peerLimits } from '../../../../common/limits.js';
import type { RpcChannel } from '../../../../common/rpc/client.js';
import type { BlockClient } from '../../../../server/block-client.js';
import { ManualClock } from '../../../support/manual-clock.js';

const peer = '1'.repeat(32) as DeviceId;
const NEAR = 'near:7422';
const FAR = 'far:7422';
const { firstPauseMs, pauseMs } = peerLimits;

let clock: ManualClock;
let directory: PeerDirectory;
/** What answers. */
let reachable: Set<string>;
/** When which address was tried, in order. */
let tried: [number, string][];

beforeEach(() => {
  [clock, reachable, tried] = [new ManualClock(), new Set(), []];
  const blocks = {
    async *missing() {
      await Promise.resolve();
      yield Buffer.alloc(0);
    },
  } as unknown as BlockClient;
  const silent = {
    missing() {
      throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'nothing answers');
    },
  } as unknown as BlockClient;
  directory = new PeerDirectory({
    namespaceId: '0'.repeat(32) as NamespaceId,
    self: '2'.repeat(32) as DeviceId,
    connect(address, device, connectMs) {
      expect([device, connectMs]).toEqual([{ device: peer }, peerLimits.probeMs]);
      tried.push([clock.monotonicMs(), address]);
      return { address, close: () => undefined } as RpcChannel;
    },
    blocksOver: ({ address }) => (reachable.has(address) ? blocks : silent),
    feedOver: () => ({}) as never,
    clock,
    tally: new SyncTally(),
  });
  const ended = new AbortController();
  const keeping = directory.keepConnected(ended.signal);
  onTestFinished(async () => {
    ended.abort();
    await keeping;
  });
});

function tell(witness: 'lan' | 'metadata', address: string): void {
  directory.update(witness, [{ deviceId: peer, addresses: [address], isNear: witness === 'lan' }]);
}

/** Lets time pass, and everybody come to rest after each moment at which somebody wakes. */
async function pass(durationMs: number): Promise<void> {
  const untilMs = clock.monotonicMs() + durationMs;
  for (;;) {
    for (let turns = 0; turns < 10; turns++) await turn();
    const [next = Infinity] = clock.sleepingMs;
    const leftMs = untilMs - clock.monotonicMs();
    if (next > leftMs) break;
    clock.advance(next);
  }
  clock.advance(untilMs - clock.monotonicMs());
}

it('who is told of is connected to at once, and asked no more while the connection holds', async () => {
  reachable.add(NEAR);
  tell('lan', NEAR);
  await pass(0);
  expect(directory.feeds().map(({ deviceId }) => deviceId)).toEqual([peer]);
  await pass(10 * pauseMs);
  expect(tried).toEqual([[0, NEAR]]);
});

it('a peer whose line breaks is connected to again soon, by what the network itself says, without a word from metadata', async () => {
  reachable.add(FAR);
  tell('metadata', FAR);
  await pass(100_000);
  reachable = new Set([NEAR]);
  tell('lan', NEAR);
  directory.feeds()[0]!.onLost();
  expect(directory.feeds()).toEqual([]);
  await pass(firstPauseMs);
  await pass(0);
  expect(directory.feeds()).toHaveLength(1);
  expect(tried).toEqual([
    [0, FAR],
    [100_000 + firstPauseMs, NEAR],
  ]);
});

it('one that cannot be reached is tried more and more rarely, and at once where it is told to be elsewhere', async () => {
  tell('metadata', FAR);
  await pass(100_000);
  const times = tried.map(([atMs]) => atMs / firstPauseMs);
  expect(times).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
  reachable.add(NEAR);
  tell('metadata', NEAR);
  await pass(0);
  expect(tried.at(-1)).toEqual([100_000, NEAR]);
  expect(directory.feeds()).toHaveLength(1);
});

it('one whose connections break off as soon as they stand is tried more and more rarely too', async () => {
  reachable.add(NEAR);
  tell('lan', NEAR);
  for (let round = 0; round < 4; round++) {
    await pass(0);
    directory.feeds()[0]!.onLost();
    await pass(firstPauseMs * 2 ** round);
  }
  await pass(0);
  expect(tried.map(([atMs]) => atMs / firstPauseMs)).toEqual([0, 1, 3, 7, 15]);
});

it('a source that fails is left alone for long', async () => {
  reachable.add(NEAR);
  tell('lan', NEAR);
  await pass(0);
  directory.sources()[0]!.onFailure(new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'it has stalled'));
  await pass(3 * pauseMs);
  expect(tried.map(([atMs]) => atMs)).toEqual([0, pauseMs]);
});
