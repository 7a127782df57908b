import { afterEach, describe, expect, it } from 'vitest';
import { hashCount, hashHex, hashKey } from '../../../common/block-hash.js';
import { DrystoneError } from '../../../common/errors.js';
import type { NamespaceId } from '../../../common/ids.js';
import { blockServerLimits, wireLimits } from '../../../common/limits.js';
import { isReceiptAuthentic } from '../../../common/receipt.js';
import { receiptOfMessage } from '../../../common/receipt-message.js';
import type { PutBlocksResponse } from '../../../proto/gen/drystone/block/v1/block.js';
import type { Block } from '../../../server/block.js';
import type { OutgoingBatch, OutgoingPut } from '../../../server/block-codec.js';
import { collect, rejection, streamOf } from '../../support/async-tools.js';
import { startBlockServer, type BlockServerOptions, type BlockServerPair } from '../../support/blocks/block-server.js';
import { eventually } from '../../support/eventually.js';
import { HeldStore } from '../../support/blocks/held-store.js';
import {
  blockOf,
  hashesOf,
  manyBlocks,
  NAMESPACE,
  OTHER_NAMESPACE,
  sampleBlocks,
} from '../../support/blocks/sample-blocks.js';

const MiB = 1024 * 1024;
let server: BlockServerPair;

async function start(options?: BlockServerOptions): Promise<BlockServerPair> {
  server = await startBlockServer(options);
  return server;
}

afterEach(async () => {
  await server.close();
});

function batchOf(...blocks: readonly Block[]): OutgoingBatch {
  const hashes = hashesOf(blocks);
  return { hashes, sizes: blocks.map(({ data }) => data.length), data: blocks.map(({ data }) => data) };
}

function put(batch: OutgoingBatch | undefined, namespaceId: string = NAMESPACE): OutgoingPut {
  return { namespaceId, batch };
}

function send(...requests: OutgoingPut[]): Promise<PutBlocksResponse[]> {
  return collect(server.calls.putBlocks(streamOf(...requests)));
}

function coveredBy(responses: readonly PutBlocksResponse[]): string[] {
  return responses.flatMap(({ receipt }) => {
    const hashes = receipt?.hashes ?? Buffer.alloc(0);
    return Array.from({ length: hashCount(hashes) }, (_, index) =>
      hashHex(hashes.subarray(index * 32, index * 32 + 32)),
    );
  });
}

/** Everything that a stream took it has given back. */
async function expectNothingHeld(): Promise<void> {
  await eventually(() => server.metric('drystone_agent_streams{method="put"}')).toBe(0);
  await eventually(() => server.metric('drystone_agent_in_flight_bytes{method="put"}')).toBe(0);
}

describe('PutBlocks', () => {
  it('stores blocks and signs for them', async () => {
    await start();
    const blocks = sampleBlocks('put', 10, 100_000, 2 * MiB);
    const responses = await send(put(undefined), put(batchOf(blocks[0]!, blocks[1]!), ''), put(batchOf(blocks[2]!)));
    expect(coveredBy(responses).sort()).toEqual(blocks.map(({ hash }) => hashHex(hash)).sort());
    for (const { receipt } of responses) {
      const signed = receiptOfMessage('receipt', receipt!);
      expect(signed).toMatchObject({ agentId: server.agentId, namespaceId: NAMESPACE });
      expect(isReceiptAuthentic(signed, server.publicKey)).toBe(true);
    }
    expect(await server.store.sizes(NAMESPACE, hashesOf(blocks))).toEqual([10, 100_000, 2 * MiB]);
    await expectNothingHeld();
  });

  it('takes a block of 4 MiB, and refuses one of 4 MiB and a byte', async () => {
    await start();
    const [largest, larger] = sampleBlocks('limit', wireLimits.blockBytes, wireLimits.blockBytes + 1);
    expect(coveredBy(await send(put(batchOf(largest!))))).toEqual([hashHex(largest!.hash)]);
    expect(await rejection(send(put(batchOf(larger!))))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'batch.sizes[0]' },
    });
    expect(await server.store.stats()).toMatchObject({ blocks: 1 });
  });

  it('refuses a block that does not match its hash, with all of its message, but keeps what came before', async () => {
    await start();
    const [first, second] = sampleBlocks('mismatch', 1000, 2000);
    const received = new Set<string>();
    const requests = async function* () {
      yield put(batchOf(first!));
      await eventually(() => received.size).toBe(1);
      yield put(batchOf(second!, { hash: first!.hash, data: Buffer.from('something else') }));
    };
    const upload = async (): Promise<void> => {
      for await (const response of server.calls.putBlocks(requests())) {
        for (const hash of coveredBy([response])) received.add(hash);
      }
    };
    expect(await rejection(upload())).toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'BLOCK_HASH_MISMATCH',
      details: { field: 'batch.hashes[1]' },
    });
    expect(await server.store.sizes(NAMESPACE, hashesOf([first!, second!]))).toEqual([1000, 0]);
    expect(await server.metric('drystone_agent_verification_failures_total{direction="put"}')).toBe(1);
    await expectNothingHeld();
  });

  it.each<[string, Partial<OutgoingBatch>, string]>([
    ['a hash that is not 32 bytes', { hashes: Buffer.alloc(31) }, 'batch.hashes'],
    ['a packed list of odd length', { hashes: Buffer.alloc(65) }, 'batch.hashes'],
    ['more hashes than sizes', { hashes: Buffer.alloc(64) }, 'batch.sizes'],
    ['more sizes than hashes', { sizes: [3, 2] }, 'batch.sizes'],
    ['an empty block', { sizes: [0], data: [] }, 'batch.sizes[0]'],
    ['sizes that come to less than the data', { sizes: [4] }, 'batch.sizes'],
    ['sizes that come to more than the data', { sizes: [6] }, 'batch.sizes'],
  ])('refuses %s', async (_, flaw, field) => {
    await start();
    const batch = { ...batchOf(blockOf('sound')), ...flaw };
    expect(await rejection(send(put(batch)))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
    expect(await server.store.stats()).toMatchObject({ blocks: 0 });
    await expectNothingHeld();
  });

  it('refuses more than 4 MiB of blocks, and more than 4,096, in one message', async () => {
    await start();
    const heavy = batchOf(...sampleBlocks('heavy', 3 * MiB, 3 * MiB));
    expect(await rejection(send(put(heavy)))).toMatchObject({ details: { field: 'batch.data' } });
    const many = batchOf(...manyBlocks('many', wireLimits.hashesPerMessage + 1, 1));
    expect(await rejection(send(put(many)))).toMatchObject({ details: { field: 'batch.hashes' } });
  });

  it('refuses a message over the limit', async () => {
    await start();
    const batch = { ...batchOf(blockOf('small')), data: [Buffer.alloc(wireLimits.messageBytes + 1)] };
    expect(await rejection(send(put(batch)))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  it.each<[string, string[], object]>([
    ['no namespace', [''], { code: 'INVALID_ARGUMENT', details: { field: 'namespace_id' } }],
    ['a namespace id that is none', ['NOT-AN-ID'], { code: 'INVALID_ARGUMENT', details: { field: 'namespace_id' } }],
    [
      'a namespace that changes in mid-stream',
      [NAMESPACE, OTHER_NAMESPACE],
      { code: 'INVALID_ARGUMENT', details: { field: 'namespace_id' } },
    ],
  ])('refuses %s', async (_, namespaceIds, refusal) => {
    await start();
    const requests = namespaceIds.map((namespaceId) => put(undefined, namespaceId));
    expect(await rejection(send(...requests))).toMatchObject(refusal);
  });

  it('refuses a namespace that is not assigned, or no longer', async () => {
    const assigned = new Set<NamespaceId>([NAMESPACE]);
    await start({ isAssigned: (namespaceId) => assigned.has(namespaceId) });
    const refusal = { code: 'NOT_FOUND', reason: 'NAMESPACE_NOT_ASSIGNED' };
    const batch = batchOf(blockOf('content'));
    expect(await rejection(send(put(batch, OTHER_NAMESPACE)))).toMatchObject(refusal);
    const requests = async function* () {
      yield put(batch);
      await eventually(async () => (await server.store.stats()).blocks).toBe(1);
      assigned.clear();
      yield put(batchOf(blockOf('more content')));
    };
    expect(await rejection(collect(server.calls.putBlocks(requests())))).toMatchObject(refusal);
    expect(await server.store.stats()).toMatchObject({ blocks: 1 });
  });

  it('covers a block once within a stream, and again in another', async () => {
    await start();
    const block = blockOf('sent again and again');
    const hash = hashHex(block.hash);
    expect(coveredBy(await send(put(batchOf(block, block)), put(batchOf(block))))).toEqual([hash]);
    expect(coveredBy(await send(put(batchOf(block))))).toEqual([hash]);
  });

  it('sends no receipt before the store says that the blocks are durable', async () => {
    const store = new HeldStore();
    await start({ createStore: () => store });
    const [first, second] = [blockOf('first'), blockOf('second')];
    const responses: PutBlocksResponse[] = [];
    const upload = (async () => {
      for await (const response of server.calls.putBlocks(streamOf(put(batchOf(first)), put(batchOf(second))))) {
        responses.push(response);
      }
    })();
    await eventually(() => store.heldCount).toBe(2);
    expect(responses).toEqual([]);
    store.letOneGo();
    await eventually(() => coveredBy(responses)).toEqual([hashHex(first.hash)]);
    store.letGo();
    await upload;
    expect(coveredBy(responses)).toEqual([first, second].map(({ hash }) => hashHex(hash)));
  });

  it('passes on that the disk is full, with the delay, after the receipts for what was stored', async () => {
    const store = new HeldStore();
    await start({ createStore: () => store });
    const responses: PutBlocksResponse[] = [];
    const requests = async function* () {
      yield put(batchOf(blockOf('fits')));
      await eventually(() => store.heldCount).toBe(1);
      store.letOneGo();
      await eventually(() => responses.length).toBe(1);
      store.failure = new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', 'full', { retryAfterMs: 30_000 });
      store.letGo();
      yield put(batchOf(blockOf('does not')));
    };
    const upload = async (): Promise<void> => {
      for await (const response of server.calls.putBlocks(requests())) responses.push(response);
    };
    expect(await rejection(upload())).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'DISK_FULL',
      details: { retryAfterMs: 30_000 },
    });
    expect(await server.metric('drystone_agent_refusals_total{cause="disk_full"}')).toBe(1);
    await expectNothingHeld();
  });

  it('reads no further than its budget while the disk is slow', async () => {
    const store = new HeldStore();
    await start({ createStore: () => store });
    const blocks = manyBlocks('slow disk', 20, 4 * MiB);
    const upload = collect(server.client.put(NAMESPACE, streamOf(...blocks)));
    const budgetBlocks = blockServerLimits.putBytesInFlight / (4 * MiB);
    await eventually(() => store.heldCount).toBe(budgetBlocks);
    expect(await server.metric('drystone_agent_in_flight_bytes{method="put"}')).toBe(
      blockServerLimits.putBytesInFlight,
    );
    store.letGo();
    const receipts = await upload;
    expect(receipts.reduce((sum, { hashes }) => sum + hashCount(hashes), 0)).toBe(20);
    expect(new Set(store.received.map(({ hash }) => hashKey(hash))).size).toBe(20);
    await expectNothingHeld();
  });

  it('holds nothing for a client that cancels in mid-stream', async () => {
    const store = new HeldStore();
    await start({ createStore: () => store });
    const cancel = new AbortController();
    const blocks = manyBlocks('cancelled', 20, 4 * MiB);
    const upload = rejection(collect(server.client.put(NAMESPACE, streamOf(...blocks), { signal: cancel.signal })));
    await eventually(() => store.heldCount).toBeGreaterThan(3);
    cancel.abort();
    expect(await upload).toMatchObject({ code: 'CANCELLED' });
    await eventually(() => server.metric('drystone_agent_streams{method="put"}')).toBe(0);
    store.letGo();
    await expectNothingHeld();
    expect(store.received.length).toBeLessThan(20);
  });

  it('refuses more blocks in a stream than it can remember', async () => {
    await start();
    const block = blockOf('the same over and over');
    const full = batchOf(...Array.from({ length: wireLimits.hashesPerMessage }, () => block));
    const requests = Array.from({ length: 17 }, () => put(full));
    expect(await rejection(send(...requests))).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED' });
  });

  it('refuses more streams than it serves, and serves again when one has ended', async () => {
    await start();
    const { streamsPerMethod, streamsPerDevice } = blockServerLimits;
    const holders = Array.from({ length: streamsPerMethod / streamsPerDevice }, async (_, index) =>
      server.connect(await server.fleet.authority.device(`account-${index}`)),
    );
    const devices = await Promise.all(holders);
    const ends = Array.from({ length: streamsPerMethod }, () => new AbortController());
    const open = ends.map(({ signal }, index) =>
      rejection(collect(devices[index % devices.length]!.calls.putBlocks(neverEnding(signal), { signal }))),
    );
    await eventually(() => server.metric('drystone_agent_streams{method="put"}')).toBe(streamsPerMethod);
    const attempt = (): Promise<PutBlocksResponse[]> => send(put(batchOf(blockOf('late'))));
    expect(await rejection(attempt())).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'OVERLOADED',
      details: { retryAfterMs: blockServerLimits.overloadedRetryMs },
    });
    expect(await server.metric('drystone_agent_refusals_total{cause="streams"}')).toBe(1);
    ends[0]!.abort();
    await eventually(async () => coveredBy(await attempt().catch(() => []))).toHaveLength(1);
    for (const end of ends) end.abort();
    await Promise.all(open);
    await expectNothingHeld();
  });
});

async function* neverEnding(signal: AbortSignal): AsyncGenerator<OutgoingPut, void, undefined> {
  yield put(undefined);
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
