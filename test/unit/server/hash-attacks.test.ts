import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashHex } from '../../../common/block-hash.js';
import { trustLimits } from '../../../common/limits.js';
import type { GetBlocksResponse, PutBlocksResponse } from '../../../proto/gen/drystone/block/v1/block.js';
import type { Block } from '../../../server/block.js';
import { collect, rejection, streamOf } from '../../support/async-tools.js';
import { attempt, blockMethodNames, putOf, whatIsTold } from '../../support/blocks/attempts.js';
import { startBlockServer, type BlockServerPair, type ConnectedDevice } from '../../support/blocks/block-server.js';
import { blockOf, hashesOf, NAMESPACE, OTHER_NAMESPACE, sampleBlocks } from '../../support/blocks/sample-blocks.js';
import { ManualClock } from '../../support/manual-clock.js';

const MiB = 1024 * 1024;
const [large, small, mine] = sampleBlocks('secrets', 3 * MiB, 700, 500) as [Block, Block, Block];
const nowhere = blockOf('that nobody has stored');

let clock: ManualClock;
let server: BlockServerPair;
/** Writes OTHER_NAMESPACE, and knows the hashes of what lies in NAMESPACE. */
let mallory: ConnectedDevice;

beforeEach(async () => {
  clock = new ManualClock(Date.now());
  server = await startBlockServer({ clock });
  await server.store.put(NAMESPACE, [large, small]);
  await server.store.put(OTHER_NAMESPACE, [mine]);
  mallory = await server.connect(await server.fleet.authority.device('mallory'), [[OTHER_NAMESPACE, 'write']]);
});

afterEach(() => server.close());

const ask = (hashes: Uint8Array, of = mallory): Promise<GetBlocksResponse[]> =>
  collect(of.calls.getBlocks(streamOf({ namespaceId: OTHER_NAMESPACE, hashes })));

const put = (block: Block, of = mallory): Promise<PutBlocksResponse[]> =>
  collect(of.calls.putBlocks(streamOf(putOf(OTHER_NAMESPACE, block))));

/** What answers tell beside the hashes that were asked for. */
const shapeOf = (responses: readonly GetBlocksResponse[]): unknown =>
  responses.map(({ batch, missingHashes }) => [batch?.sizes, missingHashes.length]);

describe('who knows the hash of a block of another namespace', () => {
  it('gets neither the block nor its size, and is told what he would be told of a block that is nowhere', async () => {
    const unknown = [nowhere, blockOf('nor that'), blockOf('and not that either')];
    const known = [large, small, large];
    const among = (blocks: readonly Block[]): Buffer => hashesOf(blocks.flatMap((block) => [block, mine]));
    const [answersOfKnown, answersOfUnknown] = [await ask(among(known)), await ask(among(unknown))];
    expect(answersOfKnown.map(({ batch }) => batch?.hashes)).toEqual([hashesOf([mine, mine, mine])]);
    expect(answersOfKnown[0]!.missingHashes).toEqual(hashesOf(known));
    expect(shapeOf(answersOfKnown)).toEqual(shapeOf(answersOfUnknown));
  });

  it('is told that it is missing where he asks which are', async () => {
    const hashes = hashesOf([large, nowhere, mine, small]);
    const [answer] = await collect(mallory.calls.hasBlocks(streamOf({ namespaceId: OTHER_NAMESPACE, hashes })));
    expect(answer?.missingHashes).toEqual(hashesOf([large, nowhere, small]));
  });

  it('cannot claim it: without its content there is no receipt, and the refusal is that of any other hash', async () => {
    const told = [];
    for (const { hash } of [small, nowhere]) {
      for (const data of [Buffer.alloc(small.data.length), Buffer.from('guess')]) {
        const refusal = await rejection(put({ hash, data }));
        expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BLOCK_HASH_MISMATCH' });
        told.push(whatIsTold(refusal, hashHex(hash)));
      }
    }
    expect(new Set(told).size).toBe(1);
    expect(await server.store.sizes(OTHER_NAMESPACE, small.hash)).toEqual([0]);
  });

  it('does not find it in another of his own namespaces either: it is there when he has sent it there', async () => {
    expect((await ask(small.hash, server))[0]?.missingHashes).toEqual(small.hash);
  });
});

describe('who sends a block that lies on the same disk for another namespace', () => {
  it('gets a receipt for what he has sent, in his namespace, and can read that and nothing else', async () => {
    const before = await server.store.stats();
    const [response, ...others] = await put(small);
    expect(others).toEqual([]);
    expect(response?.receipt).toMatchObject({ namespaceId: OTHER_NAMESPACE, hashes: small.hash });
    // It is on disk once.
    expect(await server.store.stats()).toEqual(before);
    const [answer] = await ask(hashesOf([small, large]));
    expect(answer).toMatchObject({ missingHashes: large.hash, batch: { hashes: small.hash, data: small.data } });
    expect(await server.store.sizes(NAMESPACE, mine.hash)).toEqual([0]);
  });

  it('is answered as one who sends a block that nobody has', async () => {
    const shape = async (block: Block): Promise<unknown> =>
      (await put(block)).map(({ receipt }) => ({
        ...receipt,
        hashes: receipt?.hashes.length,
        issuedAtMs: 0,
        signature: 0,
      }));
    expect(await shape(small)).toEqual(await shape(nowhere));
  });
});

describe('who may only read a namespace', () => {
  it('reads, and asks what is there, and puts nothing', async () => {
    const reader = await server.connect(await server.fleet.authority.device('eve'), [[NAMESPACE, 'read']]);
    expect((await collect(reader.client.get(NAMESPACE, streamOf(small.hash))))[0]?.data).toEqual(small.data);
    expect(await collect(reader.client.missing(NAMESPACE, streamOf(hashesOf([small, nowhere]))))).toEqual([
      nowhere.hash,
    ]);
    const refusal = await rejection(collect(reader.client.put(NAMESPACE, streamOf(nowhere))));
    expect(refusal).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' });
    expect(await server.store.sizes(NAMESPACE, nowhere.hash)).toEqual([0]);
  });

  it.each(blockMethodNames)('learns nothing by %s of one that his token does not name', async (method) => {
    const reader = await server.connect(await server.fleet.authority.device('eve'), [[NAMESPACE, 'read']]);
    const refusal = await rejection(collect(attempt(method, reader.calls, OTHER_NAMESPACE, streamOf(mine))));
    expect(refusal).toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_NOT_ASSIGNED' });
  });
});

describe('who has asked for much while he was allowed to', () => {
  it('is sent no more of it when his token has expired', async () => {
    const hashes = hashesOf(Array.from({ length: 1024 }, () => large));
    const responses = server.calls.getBlocks(streamOf({ namespaceId: NAMESPACE, hashes }));
    await responses.next();
    clock.advance(trustLimits.accessTokenMs + trustLimits.accessTokenSkewMs);
    let received = 1;
    const reading = (async () => {
      for await (const { batch } of responses) received += batch?.sizes.length ?? 0;
    })();
    expect(await rejection(reading)).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' });
    // What the transport had taken by then.
    expect(received).toBeLessThan(64);
  });

  it('and goes on with a new token where he still is', async () => {
    const hashes = hashesOf(Array.from({ length: 32 }, () => large));
    let received = 0;
    for await (const { data } of server.client.get(NAMESPACE, streamOf(hashes))) {
      if (received++ === 0) clock.advance(trustLimits.accessTokenMs + trustLimits.accessTokenSkewMs);
      expect(data?.length).toBe(large.data.length);
    }
    expect(received).toBe(32);
    expect(await server.metric('drystone_agent_token_verifications_total{result="ok"}')).toBe(2);
  });
});
