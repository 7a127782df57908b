import { afterEach, describe, expect, it } from 'vitest';
import { blockServerLimits, wireLimits } from '../../../common/limits.js';
import type { NamespaceId } from '../../../common/ids.js';
import type { GetBlocksRequest, GetBlocksResponse } from '../../../proto/gen/drystone/block/v1/block.js';
import { MemoryBlockStore } from '../../../server/memory-block-store.js';
import { MeteredBlockStore } from '../../../server/metered-block-store.js';
import { VerifyingBlockStore } from '../../../server/verifying-block-store.js';
import { systemClock } from '../../../common/clock.js';
import { collect, forEach, rejection, streamOf } from '../../support/async-tools.js';
import { startBlockServer, type BlockServerOptions, type BlockServerPair } from '../../support/blocks/block-server.js';
import {
  blockOf,
  hashesOf,
  manyBlocks,
  NAMESPACE,
  OTHER_NAMESPACE,
  sampleBlocks,
} from '../../support/blocks/sample-blocks.js';
import { eventually } from '../../support/eventually.js';

const MiB = 1024 * 1024;
let server: BlockServerPair;

async function start(options?: BlockServerOptions): Promise<BlockServerPair> {
  server = await startBlockServer(options);
  return server;
}

afterEach(async () => {
  await server.close();
});

function ask(...requests: [hashes: Uint8Array, namespaceId?: string][]): Promise<GetBlocksResponse[]> {
  const messages = requests.map(([hashes, namespaceId = NAMESPACE]) => ({ namespaceId, hashes }));
  return collect(server.calls.getBlocks(streamOf(...messages)));
}

function dataOf(responses: readonly GetBlocksResponse[]): Buffer {
  return Buffer.concat(responses.map(({ batch }) => batch?.data ?? Buffer.alloc(0)));
}

async function expectNothingHeld(): Promise<void> {
  await eventually(() => server.metric('drystone_agent_streams{method="get"}')).toBe(0);
  await eventually(() => server.metric('drystone_agent_in_flight_bytes{method="get"}')).toBe(0);
}

describe('GetBlocks', () => {
  it('sends small blocks together, large ones alone, all in the order asked', async () => {
    await start();
    const blocks = sampleBlocks('order', 600_000, 10, 600_000, 4 * MiB, 1, 2);
    await server.store.put(NAMESPACE, blocks);
    const responses = await ask([hashesOf(blocks)]);
    expect(responses.map(({ batch }) => batch?.sizes)).toEqual([[600_000, 10], [600_000], [4 * MiB], [1, 2]]);
    expect(dataOf(responses).equals(Buffer.concat(blocks.map(({ data }) => data)))).toBe(true);
    await expectNothingHeld();
  });

  it('answers each request without waiting for the next', async () => {
    await start();
    const block = blockOf('one at a time');
    await server.store.put(NAMESPACE, [block]);
    let answers = 0;
    const requests = async function* (): AsyncGenerator<GetBlocksRequest, void, undefined> {
      for (let asked = 1; asked <= 3; asked++) {
        yield { namespaceId: asked === 1 ? NAMESPACE : '', hashes: block.hash };
        await eventually(() => answers).toBe(asked);
      }
    };
    for await (const { batch } of server.calls.getBlocks(requests())) answers += batch?.sizes.length ?? 0;
    expect(answers).toBe(3);
  });

  it('names what is missing, in another namespace too, in its turn', async () => {
    await start();
    const [here, elsewhere, nowhere] = [blockOf('here'), blockOf('elsewhere'), blockOf('nowhere')];
    await server.store.put(NAMESPACE, [here]);
    await server.store.put(OTHER_NAMESPACE, [elsewhere]);
    const [response, ...rest] = await ask([hashesOf([elsewhere, here, nowhere, here])]);
    expect(rest).toEqual([]);
    expect(response?.batch?.hashes).toEqual(hashesOf([here, here]));
    expect(response?.missingHashes).toEqual(hashesOf([elsewhere, nowhere]));
    expect(await server.metric('drystone_agent_get_missing_total')).toBe(2);
  });

  it('counts a block whose bytes have rotted as missing', async () => {
    const engine = new MemoryBlockStore();
    await start({
      createStore: (metrics) =>
        new MeteredBlockStore(
          new VerifyingBlockStore(engine, () => metrics.verificationFailures.inc({ direction: 'get' })),
          metrics,
          systemClock,
        ),
    });
    const rotten = blockOf('as it was');
    await engine.put(NAMESPACE, [{ hash: rotten.hash, data: Buffer.from('as it wAs') }]);
    const [response] = await ask([rotten.hash]);
    expect(response).toMatchObject({ batch: undefined, missingHashes: rotten.hash });
    expect(await server.metric('drystone_agent_verification_failures_total{direction="get"}')).toBe(1);
    expect((await collect(server.client.missing(NAMESPACE, streamOf(rotten.hash))))[0]).toEqual(rotten.hash);
  });

  it.each<[string, [Uint8Array, string?][], object]>([
    ['a packed list of odd length', [[Buffer.alloc(33)]], { details: { field: 'hashes' } }],
    ['too many hashes', [[Buffer.alloc(32 * (wireLimits.hashesPerMessage + 1))]], { details: { field: 'hashes' } }],
    ['no namespace', [[Buffer.alloc(32), '']], { details: { field: 'namespace_id' } }],
    [
      'a namespace that changes in mid-stream',
      [[Buffer.alloc(32)], [Buffer.alloc(32), OTHER_NAMESPACE]],
      { details: { field: 'namespace_id' } },
    ],
  ])('refuses %s', async (_, requests, refusal) => {
    await start();
    expect(await rejection(ask(...requests))).toMatchObject({ code: 'INVALID_ARGUMENT', ...refusal });
    await expectNothingHeld();
  });

  it('refuses a namespace that is not assigned, whether or not it has the blocks', async () => {
    await start({ isAssigned: (namespaceId: NamespaceId) => namespaceId !== OTHER_NAMESPACE });
    const block = blockOf('there');
    await server.store.put(OTHER_NAMESPACE, [block]);
    const refusal = { code: 'NOT_FOUND', reason: 'NAMESPACE_NOT_ASSIGNED' };
    expect(await rejection(ask([block.hash, OTHER_NAMESPACE]))).toMatchObject(refusal);
    const missing = collect(server.calls.hasBlocks(streamOf({ namespaceId: OTHER_NAMESPACE, hashes: block.hash })));
    expect(await rejection(missing)).toMatchObject(refusal);
  });

  it('reads only a little ahead for a client that does not take what it asked for', async () => {
    let bytesRead = 0;
    class CountingStore extends MemoryBlockStore {
      override async get(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]> {
        const found = await super.get(namespaceId, hashes);
        for (const data of found) bytesRead += data?.length ?? 0;
        return found;
      }
    }
    await start({ createStore: () => new CountingStore() });
    const [block] = sampleBlocks('stalled', 4 * MiB);
    await server.store.put(NAMESPACE, [block!]);
    const hashes = hashesOf(Array.from({ length: 256 }, () => block!));
    const responses = server.calls.getBlocks(streamOf({ namespaceId: NAMESPACE, hashes }));
    await responses.next();
    await settled(() => bytesRead);
    // The transport's two windows and two queues, and what the stream itself may hold: of a GiB.
    expect(bytesRead).toBeLessThan(128 * MiB);
    expect(await server.metric('drystone_agent_in_flight_bytes{method="get"}')).toBe(
      blockServerLimits.getBytesInFlight,
    );
    await responses.return();
    await expectNothingHeld();
  });

  it('holds nothing for a client that cancels in mid-stream', async () => {
    await start();
    const blocks = manyBlocks('cancelled', 8, 4 * MiB);
    await server.store.put(NAMESPACE, blocks);
    const cancel = new AbortController();
    const asking = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) yield hashesOf(blocks);
    };
    const reading = async (): Promise<void> => {
      let blocksRead = 0;
      await forEach(server.client.get(NAMESPACE, asking(), { signal: cancel.signal }), () => {
        if (++blocksRead === 10) cancel.abort();
      });
    };
    expect(await rejection(reading())).toMatchObject({ code: 'CANCELLED' });
    await expectNothingHeld();
  });
});

describe('HasBlocks', () => {
  it('answers each request with what is missing, in order', async () => {
    await start();
    const [held, other, third] = [blockOf('held'), blockOf('other'), blockOf('third')];
    await server.store.put(NAMESPACE, [held]);
    const lists = [hashesOf([other, held, third]), held.hash, Buffer.alloc(0), other.hash];
    const answers = await collect(server.client.missing(NAMESPACE, streamOf(...lists)));
    const expected = [hashesOf([other, third]), Buffer.alloc(0), Buffer.alloc(0), other.hash];
    expect(answers.map((missing) => Buffer.from(missing))).toEqual(expected);
    expect(await server.metric('drystone_agent_has_hashes_total')).toBe(5);
    expect(await server.metric('drystone_agent_has_missing_total')).toBe(3);
    await eventually(() => server.metric('drystone_agent_streams{method="has"}')).toBe(0);
  });

  it('refuses a packed list of odd length', async () => {
    await start();
    const call = collect(server.calls.hasBlocks(streamOf({ namespaceId: NAMESPACE, hashes: Buffer.alloc(31) })));
    expect(await rejection(call)).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'hashes' } });
  });
});

/** Resolves when `value` has stopped changing. */
async function settled(value: () => number): Promise<void> {
  let last = -1;
  await eventually(async () => {
    const isStill = value() === last;
    last = value();
    await systemClock.sleep(200);
    return isStill;
  }).toBe(true);
}
