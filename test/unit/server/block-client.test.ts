import { afterEach, describe, expect, it } from 'vitest';
import { hashCount } from '../../../common/block-hash.js';
import { blockServerLimits, wireLimits } from '../../../common/limits.js';
import { serve } from '../../../common/rpc/server.js';
import type { GetBlocksRequest, PutBlocksRequest } from '../../../proto/gen/drystone/block/v1/block.js';
import type { Block, BlockClient } from '../../../server/block-client.js';
import { blockMethods, type OutgoingGetAnswer } from '../../../server/block-codec.js';
import { collect, deferred, firstOf, forEach, rejection, streamOf } from '../../support/async-tools.js';
import { serveBlocks, startBlockServer, type BlockServerPair } from '../../support/blocks/block-server.js';
import { blockOf, hashesOf, manyBlocks, NAMESPACE, sampleBlocks } from '../../support/blocks/sample-blocks.js';

const MiB = 1024 * 1024;
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function startHonest(): Promise<BlockServerPair> {
  const server = await startBlockServer();
  closing.push(() => server.close());
  return server;
}

/** A client of a server that behaves as told; methods left out answer nothing. */
async function clientOf(behaviour: {
  /** Takes uploads, and never signs for anything. */
  put?: (requests: AsyncIterable<PutBlocksRequest>) => Promise<void>;
  get?: (requests: AsyncIterable<GetBlocksRequest>) => AsyncGenerator<OutgoingGetAnswer, void, undefined>;
}): Promise<BlockClient> {
  const implementation = {
    async *putBlocks(requests: AsyncIterable<PutBlocksRequest>) {
      await behaviour.put?.(requests);
      yield* [];
    },
    getBlocks: behaviour.get ?? async function* () {},
    async *hasBlocks() {},
  };
  const audience = { putBlocks: 'device', getBlocks: 'device', hasBlocks: 'device' } as const;
  const requestBytes = { putBlocks: wireLimits.messageBytes };
  const { client, close } = await serveBlocks(serve(blockMethods, implementation, { audience, requestBytes }));
  closing.push(close);
  return client;
}

function answerOf(blocks: readonly Block[], missing: readonly Block[] = []): OutgoingGetAnswer {
  const batch = {
    hashes: hashesOf(blocks),
    sizes: blocks.map(({ data }) => data.length),
    data: blocks.map(({ data }) => data),
  };
  return { batch, missingHashes: hashesOf(missing) };
}

describe('BlockClient.put', () => {
  it('lets small blocks share messages and yields receipts for all of them', async () => {
    const messages: number[] = [];
    const client = await clientOf({
      put: (requests) => forEach(requests, ({ batch }) => void messages.push(batch?.sizes.length ?? 0)),
    });
    const blocks = [...manyBlocks('small', 300, 4096), ...sampleBlocks('large', MiB, 3 * MiB)];
    expect(await rejection(collect(client.put(NAMESPACE, streamOf(...blocks))))).toMatchObject({ code: 'INTERNAL' });
    expect(messages).toEqual([256, 44, 1, 1]);

    const honest = await startHonest();
    const receipts = await collect(honest.client.put(NAMESPACE, streamOf(...blocks)));
    expect(receipts.reduce((sum, { hashes }) => sum + hashCount(hashes), 0)).toBe(302);
    expect(await honest.store.stats()).toMatchObject({ blocks: 302 });
  });

  it('holds no block back for one that does not come', async () => {
    const { client } = await startHonest();
    const covered = deferred();
    const blocks = async function* () {
      yield blockOf('waits for its own receipt');
      await covered.promise;
      yield blockOf('comes after it');
    };
    let receipts = 0;
    await forEach(client.put(NAMESPACE, blocks()), () => {
      receipts++;
      covered.resolve();
    });
    expect(receipts).toBe(2);
  });

  it('sends a block given twice once, and opens another stream for more blocks than one may carry', async () => {
    let streams = 0;
    let sent = 0;
    const client = await clientOf({
      async put(requests) {
        streams++;
        await forEach(requests, ({ batch }) => void (sent += batch?.sizes.length ?? 0));
      },
    });
    const block = blockOf('twice');
    await rejection(collect(client.put(NAMESPACE, streamOf(block, block, block))));
    expect([streams, sent]).toEqual([1, 1]);

    const honest = await startHonest();
    const many = manyBlocks('streams', blockServerLimits.blocksPerPutStream + 1, 1 + 32);
    const receipts = await collect(honest.client.put(NAMESPACE, streamOf(...many)));
    expect(receipts.reduce((sum, { hashes }) => sum + hashCount(hashes), 0)).toBe(many.length);
  });

  it('puts nothing where there is nothing to put', async () => {
    const { client, store } = await startHonest();
    expect(await collect(client.put(NAMESPACE, streamOf<Block>()))).toEqual([]);
    expect(await store.stats()).toMatchObject({ blocks: 0 });
  });

  it('refuses a block that no server would take', async () => {
    const { client } = await startHonest();
    for (const data of [Buffer.alloc(0), Buffer.alloc(wireLimits.blockBytes + 1)]) {
      const put = collect(client.put(NAMESPACE, streamOf(blockOf(data))));
      expect(await rejection(put)).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'data' } });
    }
  });

  it('raises the error of its source as it is', async () => {
    const { client } = await startHonest();
    const trouble = new Error('the file has gone');
    const blocks = async function* () {
      yield blockOf('before');
      throw trouble;
    };
    expect(await rejection(collect(client.put(NAMESPACE, blocks())))).toBe(trouble);
  });

  it('closes its source when it is left early', async () => {
    const { client } = await startHonest();
    const closed = deferred();
    const blocks = async function* () {
      try {
        for (let count = 0; ; count++) yield blockOf(`block ${count}`);
      } finally {
        closed.resolve();
      }
    };
    await firstOf(client.put(NAMESPACE, blocks()));
    await closed.promise;
  });
});

describe('BlockClient.get', () => {
  it('yields blocks and missing ones in the order asked, over many messages', async () => {
    const { client, store } = await startHonest();
    const held = sampleBlocks('held', 5, 700_000, 40_000, 2 * MiB, 6);
    const [first, second] = sampleBlocks('missing', 1, 2);
    await store.put(NAMESPACE, held);
    const asked = [first!, held[3]!, held[0]!, second!, first!, held[1]!, held[1]!, held[4]!, held[2]!, second!];
    const lists = [hashesOf(asked.slice(0, 3)), Buffer.alloc(0), hashesOf(asked.slice(3))];
    const fetched = await collect(client.get(NAMESPACE, streamOf(...lists)));
    expect(fetched.map(({ hash }) => Buffer.from(hash))).toEqual(asked.map(({ hash }) => hash));
    const expected = asked.map((block) => (held.includes(block) ? block.data : undefined));
    expect(fetched.map(({ data }, index) => data?.equals(expected[index]!) ?? expected[index] === undefined)).toEqual(
      asked.map(() => true),
    );
  });

  it('raises DATA_LOSS for a block that is not what its hash says', async () => {
    const [small, large] = [blockOf('true'), blockOf(Buffer.alloc(100_000, 1))];
    for (const block of [small, large]) {
      const lie = Buffer.from(block.data);
      lie[0] = 0;
      const client = await clientOf({
        async *get(requests) {
          await firstOf(requests);
          yield answerOf([{ hash: block.hash, data: lie }]);
        },
      });
      const fetch = collect(client.get(NAMESPACE, streamOf(block.hash)));
      expect(await rejection(fetch)).toMatchObject({ code: 'DATA_LOSS', reason: 'BLOCK_HASH_MISMATCH' });
    }
  });

  it.each<[string, (asked: Block, other: Block) => OutgoingGetAnswer[]]>([
    ['another block than was asked for', (_, other) => [answerOf([other])]],
    ['another hash among the missing', (_, other) => [answerOf([], [other])]],
    ['more than was asked for', (asked) => [answerOf([asked]), answerOf([asked])]],
    ['less than was asked for', () => []],
  ])('refuses a server that answers %s', async (_, answers) => {
    const [asked, other] = [blockOf('asked'), blockOf('other')];
    const client = await clientOf({
      async *get(requests) {
        await firstOf(requests);
        for (const answer of answers(asked, other)) yield answer;
      },
    });
    const fetch = collect(client.get(NAMESPACE, streamOf(asked.hash)));
    expect(await rejection(fetch)).toMatchObject({ code: 'INTERNAL' });
  });

  it('ends its call when it is left while the server is silent', async () => {
    const ended = deferred();
    const block = blockOf('the only one');
    const client = await clientOf({
      async *get(requests) {
        try {
          let answered = false;
          for await (const { hashes } of requests) {
            if (!answered) yield answerOf([block]);
            answered = hashes.length > 0;
          }
        } finally {
          ended.resolve();
        }
      },
    });
    const forever = deferred();
    const hashes = async function* () {
      yield block.hash;
      yield block.hash;
      await forever.promise;
    };
    await firstOf(client.get(NAMESPACE, hashes()));
    await ended.promise;
    forever.resolve();
  });

  it('refuses to ask for a packed list of odd length', async () => {
    const { client } = await startHonest();
    for (const call of [client.get, client.missing]) {
      const asked: AsyncIterable<unknown> = call(NAMESPACE, streamOf(Buffer.alloc(40)));
      expect(await rejection(collect(asked))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'hashes' } });
    }
  });
});
