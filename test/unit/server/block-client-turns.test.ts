import { beforeEach, describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../../common/concurrency/bounded-queue.js';
import type { NamespaceId } from '../../../common/ids.js';
import { trustLimits } from '../../../common/limits.js';
import { connectBlockServer, type Block, type BlockClient } from '../../../server/block-client.js';
import { collect, forEach, rejection, streamOf } from '../../support/async-tools.js';
import { blockOf, hashesOf, NAMESPACE } from '../../support/blocks/sample-blocks.js';
import {
  answerOf,
  receiptFor,
  ScriptedServer,
  tokenExpired,
  wordsOf,
  type StreamScripts,
} from '../../support/blocks/scripted-server.js';
import { eventually } from '../../support/eventually.js';
import { ManualClock } from '../../support/manual-clock.js';

const blocks = ['one', 'two', 'three', 'four', 'five'].map((text) => blockOf(text));
const words = wordsOf(hashesOf(blocks));

let clock: ManualClock;
let server: ScriptedServer;
let client: BlockClient;
/** What the tokens were asked for: namespace, and the token refused before. */
let asked: [NamespaceId, string | undefined][];

function connect(scripts: StreamScripts): void {
  server = new ScriptedServer(scripts);
  client = connectBlockServer(server.channel, clock, async (namespaceId, refused) => {
    asked.push([namespaceId, refused]);
    return `token ${asked.length}`;
  });
}

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
});

/** Values that a test hands out one by one. */
function handOut<T>(): BoundedQueue<T> {
  return new BoundedQueue<T>(16);
}

describe('a put that lasts longer than a stream may', () => {
  it('goes on in another stream with a fresh token, without losing, repeating or reordering anything', async () => {
    const sent: string[][] = [];
    connect({
      async *put(requests) {
        const stream: string[] = [];
        sent.push(stream);
        for await (const { batch } of requests) {
          stream.push(...wordsOf(batch!.hashes));
          yield receiptFor(batch!.hashes);
        }
      },
    });
    const source = handOut<Block>();
    const covered: string[] = [];
    const put = forEach(client.put(NAMESPACE, source), ({ hashes }) => void covered.push(...wordsOf(hashes)));
    for (const [index, block] of blocks.entries()) {
      await source.push(block);
      await eventually(() => clock.sleepingMs.length).toBe(2);
      // The batch is held open for the next block; then it goes.
      clock.advance(clock.sleepingMs[0]!);
      await eventually(() => covered.length).toBe(index + 1);
      if (index % 2 === 1) {
        clock.advance(trustLimits.blockStreamMs);
        await eventually(() => server.openCount).toBe(0);
      }
    }
    source.end();
    await put;
    expect(sent).toEqual([words.slice(0, 2), words.slice(2, 4), words.slice(4)]);
    expect(covered).toEqual(words);
    expect(server.tokens).toEqual(['token 1', 'token 2', 'token 3']);
    expect(asked).toEqual(asked.map(() => [NAMESPACE, undefined]));
    expect(clock.sleepingMs).toEqual([]);
  });

  it('has no stream open while it has nothing to send', async () => {
    connect({
      async *put(requests) {
        for await (const { batch } of requests) yield receiptFor(batch!.hashes);
      },
    });
    const source = handOut<Block>();
    const put = collect(client.put(NAMESPACE, source));
    await source.push(blocks[0]!);
    await eventually(() => clock.sleepingMs.length).toBe(2);
    clock.advance(trustLimits.blockStreamMs);
    await eventually(() => server.openCount).toBe(0);
    expect(server.tokens).toHaveLength(1);
    source.end();
    expect(await put).toHaveLength(1);
    expect(server.tokens).toHaveLength(1);
  });

  it('sends once more what was sent with a token that had expired', async () => {
    const sent: string[][] = [];
    connect({
      async *put(requests) {
        const stream: string[] = [];
        sent.push(stream);
        for await (const { batch } of requests) {
          stream.push(...wordsOf(batch!.hashes));
          if (sent.length === 1 && stream.length < blocks.length) continue;
          if (sent.length === 1) throw tokenExpired();
          yield receiptFor(batch!.hashes);
        }
      },
    });
    const covered: string[] = [];
    await forEach(client.put(NAMESPACE, streamOf(...blocks)), ({ hashes }) => void covered.push(...wordsOf(hashes)));
    expect(sent).toEqual([words, words]);
    expect(covered).toEqual(words);
    expect(asked).toEqual([
      [NAMESPACE, undefined],
      [NAMESPACE, 'token 1'],
    ]);
  });

  it('goes on with what is left where all that was sent is covered when the token expires', async () => {
    const sent: string[][] = [];
    connect({
      async *put(requests) {
        const isFirst = sent.push([]) === 1;
        for await (const { batch } of requests) {
          sent.at(-1)!.push(...wordsOf(batch!.hashes));
          yield receiptFor(batch!.hashes);
          if (isFirst) throw tokenExpired();
        }
      },
    });
    const source = handOut<Block>();
    const put = collect(client.put(NAMESPACE, source));
    await source.push(blocks[0]!);
    await eventually(() => clock.sleepingMs.length).toBe(2);
    clock.advance(clock.sleepingMs[0]!);
    await eventually(() => clock.sleepingMs.length).toBe(0);
    await source.push(blocks[1]!);
    source.end();
    expect(await put).toHaveLength(2);
    expect(sent).toEqual([words.slice(0, 1), words.slice(1, 2)]);
  });

  it('raises that the token has expired where some of what was sent is not covered', async () => {
    connect({
      async *put(requests) {
        for await (const { batch } of requests) {
          yield receiptFor(batch!.hashes.subarray(0, 64));
          throw tokenExpired();
        }
      },
    });
    const covered: string[] = [];
    const put = forEach(client.put(NAMESPACE, streamOf(...blocks)), ({ hashes }) => {
      covered.push(...wordsOf(hashes));
    });
    expect(await rejection(put)).toMatchObject({ reason: 'TOKEN_EXPIRED' });
    expect(covered).toEqual(words.slice(0, 2));
    expect(server.tokens).toHaveLength(1);
  });

  it('does not lose a batch that was being gathered when the token expired', async () => {
    const sent: string[] = [];
    let streams = 0;
    let isHeldOpen = false;
    connect({
      async *put(requests) {
        streams++;
        const iterator = requests[Symbol.asyncIterator]();
        if (streams === 1) {
          // The batch is being held open for its second block.
          void iterator.next();
          await eventually(() => clock.sleepingMs.length).toBe(2);
          isHeldOpen = true;
          throw tokenExpired();
        }
        for await (const { batch } of { [Symbol.asyncIterator]: () => iterator }) {
          sent.push(...wordsOf(batch!.hashes));
          yield receiptFor(batch!.hashes);
        }
      },
    });
    const source = handOut<Block>();
    const put = collect(client.put(NAMESPACE, source));
    await source.push(blocks[0]!);
    await eventually(() => isHeldOpen).toBe(true);
    await eventually(() => clock.sleepingMs.length).toBe(1);
    clock.advance(clock.sleepingMs[0]!);
    source.end();
    await put;
    expect(sent).toEqual(words.slice(0, 1));
  });
});

describe('a get that lasts longer than a stream may', () => {
  it('goes on in another stream with a fresh token; what was asked is answered by the one before', async () => {
    const heard: string[][] = [];
    connect({
      async *get(requests) {
        const stream: string[] = [];
        heard.push(stream);
        for await (const { hashes } of requests) stream.push(...wordsOf(hashes));
        // Everything is answered after the client has ended its half.
        for (const word of stream) yield answerOf(blocks[words.indexOf(word)]!);
      },
    });
    const source = handOut<Uint8Array>();
    const got: string[] = [];
    const get = forEach(client.get(NAMESPACE, source), ({ data }) => void got.push(data!.toString()));
    for (const list of [blocks.slice(0, 2), blocks.slice(2, 3), blocks.slice(3)]) {
      await source.push(hashesOf(list));
      await eventually(() => heard.flat().length).toBe(words.indexOf(wordsOf(list.at(-1)!.hash)[0]!) + 1);
      clock.advance(trustLimits.blockStreamMs);
      await eventually(() => server.openCount).toBe(0);
    }
    source.end();
    await get;
    expect(got).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(heard).toEqual([words.slice(0, 2), words.slice(2, 3), words.slice(3)]);
    expect(server.tokens).toEqual(['token 1', 'token 2', 'token 3']);
    expect(clock.sleepingMs).toEqual([]);
  });

  it('asks again for what an expired token has left unanswered, from the middle of a list on', async () => {
    const heard: string[][] = [];
    connect({
      async *get(requests) {
        const isFirst = heard.length === 0;
        const stream: string[] = [];
        heard.push(stream);
        for await (const { hashes } of requests) {
          stream.push(...wordsOf(hashes));
          if (isFirst && stream.length < words.length) continue;
          for (const word of stream.splice(0)) {
            yield answerOf(blocks[words.indexOf(word)]!);
            if (isFirst && word === words[1]) throw tokenExpired();
          }
        }
      },
    });
    const lists = [hashesOf(blocks.slice(0, 1)), hashesOf(blocks.slice(1, 3)), hashesOf(blocks.slice(3))];
    const fetched = await collect(client.get(NAMESPACE, streamOf(...lists)));
    expect(fetched.map(({ data }) => data?.toString())).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(asked.map(([, refused]) => refused)).toEqual([undefined, 'token 1']);
  });
});

describe('asking what is missing for longer than a stream may last', () => {
  it('answers each list once, in order, over all streams and through an expired token', async () => {
    let answers = 0;
    const heard: number[] = [];
    connect({
      async *has(requests) {
        heard.push(0);
        for await (const { hashes } of requests) {
          heard[heard.length - 1]!++;
          if (answers === 3 && heard.length === 2) throw tokenExpired();
          answers++;
          yield { missingHashes: Buffer.from(hashes) };
        }
      },
    });
    const source = handOut<Uint8Array>();
    const missing: string[] = [];
    const asking = forEach(client.missing(NAMESPACE, source), (hashes) => void missing.push(...wordsOf(hashes)));
    for (const [index, block] of blocks.entries()) {
      await source.push(block.hash);
      await eventually(() => missing.length).toBe(index + 1);
      if (index !== 1) continue;
      clock.advance(trustLimits.blockStreamMs);
      await eventually(() => server.openCount).toBe(0);
    }
    source.end();
    await asking;
    expect(missing).toEqual(words);
    expect(heard).toEqual([2, 2, 2]);
    expect(asked.map(([, refused]) => refused)).toEqual([undefined, undefined, 'token 2']);
  });

  it('does not ask a server for ever that leaves lists unanswered', async () => {
    connect({
      async *has(requests) {
        await forEach(requests, () => undefined);
        yield* [];
      },
    });
    const asking = collect(client.missing(NAMESPACE, streamOf(blocks[0]!.hash)));
    expect(await rejection(asking)).toMatchObject({ code: 'INTERNAL' });
    expect(server.tokens).toHaveLength(1);
  });
});
