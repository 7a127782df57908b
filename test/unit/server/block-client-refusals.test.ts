import { beforeEach, describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../../common/concurrency/bounded-queue.js';
import { DrystoneError } from '../../../common/errors.js';
import { connectBlockServer, type Block, type BlockClient } from '../../../server/block-client.js';
import { collect, rejection, streamOf } from '../../support/async-tools.js';
import { blockOf, hashesOf, NAMESPACE } from '../../support/blocks/sample-blocks.js';
import {
  answerOf,
  refuse,
  ScriptedServer,
  tokenExpired,
  wordsOf,
  type StreamScripts,
} from '../../support/blocks/scripted-server.js';
import { ManualClock } from '../../support/manual-clock.js';

const blocks = ['one', 'two', 'three'].map((text) => blockOf(text));
const words = wordsOf(hashesOf(blocks));

let clock: ManualClock;
let server: ScriptedServer;
let client: BlockClient;
/** The tokens that were refused before another was asked for. */
let refused: (string | undefined)[];

function connect(scripts: StreamScripts): void {
  server = new ScriptedServer(scripts);
  client = connectBlockServer(server.channel, clock, async (_, refusedToken) => {
    refused.push(refusedToken);
    return `token ${refused.length}`;
  });
}

beforeEach(() => {
  clock = new ManualClock();
  refused = [];
});

describe('a stream that is refused', () => {
  it('is repeated once where its token has expired, and no more often without anything in between', async () => {
    connect({ get: () => refuse(tokenExpired()) });
    const get = collect(client.get(NAMESPACE, streamOf(blocks[0]!.hash)));
    expect(await rejection(get)).toMatchObject({ reason: 'TOKEN_EXPIRED' });
    expect(refused).toEqual([undefined, 'token 1']);
    expect(clock.sleepingMs).toEqual([]);
  });

  it('is repeated for as long as each stream gets on', async () => {
    connect({
      async *get(requests) {
        for await (const { hashes } of requests) {
          yield answerOf(blocks[words.indexOf(wordsOf(hashes)[0]!)]!);
          throw tokenExpired();
        }
      },
    });
    const lists = blocks.map(({ hash }) => hash);
    expect(await collect(client.get(NAMESPACE, streamOf(...lists)))).toHaveLength(blocks.length);
  });

  it('is not repeated for any other reason', async () => {
    for (const refusal of [
      new DrystoneError('UNAUTHENTICATED', 'TOKEN_INVALID', 'forged'),
      new DrystoneError('UNAVAILABLE', 'IDENTITY_REVOKED', 'gone'),
    ]) {
      connect({ put: () => refuse(refusal) });
      expect(await rejection(collect(client.put(NAMESPACE, streamOf(blocks[0]!))))).toBe(refusal);
      expect(server.tokens).toHaveLength(1);
    }
  });

  it('is not opened where no token is to be had', async () => {
    const away = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'nobody answers');
    server = new ScriptedServer({});
    client = connectBlockServer(server.channel, clock, async () => {
      throw away;
    });
    expect(await rejection(collect(client.put(NAMESPACE, streamOf(blocks[0]!))))).toBe(away);
    expect(server.tokens).toEqual([]);
  });
});

describe('a transfer that is called off', () => {
  it.each(['for a token', 'for its source'])('does not wait %s', async (what) => {
    server = new ScriptedServer({});
    const never = new Promise<never>(() => undefined);
    client = connectBlockServer(server.channel, clock, () => never);
    const source = what === 'for a token' ? streamOf(blocks[0]!) : new BoundedQueue<Block>(1);
    const end = new AbortController();
    const put = rejection(collect(client.put(NAMESPACE, source, { signal: end.signal })));
    end.abort();
    expect(await put).toMatchObject({ code: 'CANCELLED' });
  });
});
