import { afterEach, describe, expect, it } from 'vitest';
import { rpcLimits } from '../../../../common/limits.js';
import { aborted, collect, deferred, quietFor, rejection } from '../../../support/async-tools.js';
import { startRpcPair, type RpcPair, type TestImplementation } from '../../../support/rpc-pair.js';

let pair: RpcPair | undefined;

async function start(implementation: Partial<TestImplementation>): Promise<RpcPair['calls']> {
  pair = await startRpcPair(implementation);
  return pair.calls;
}

afterEach(async () => {
  await pair?.close();
  pair = undefined;
});

const bytes = (text: string): Buffer => Buffer.from(text);

describe('requests that raise', () => {
  it('cancel the call, and their error is the caller’s', async () => {
    const seen = deferred();
    const answered = deferred();
    const calls = await start({
      async *chat(requests, { signal }) {
        signal.addEventListener('abort', () => seen.resolve());
        for await (const request of requests) yield request;
      },
    });
    const fault = new Error('the disk is on fire');
    async function* requests() {
      yield bytes('one');
      await answered.promise;
      throw fault;
    }
    const responses = calls.chat(requests());
    await responses.next();
    answered.resolve();
    expect(await rejection(responses.next())).toBe(fault);
    await seen.promise;
  });
});

describe('a deadline', () => {
  it('ends a single request with DEADLINE_EXCEEDED, and its handler', async () => {
    const finished = deferred();
    const calls = await start({
      ask: async (request, { signal }) => {
        await aborted(signal);
        finished.resolve();
        return request;
      },
    });
    const error = await rejection(calls.ask(bytes(''), { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', isTransient: true });
    await finished.promise;
  });

  it('ends a stream with DEADLINE_EXCEEDED, its handler and its requests', async () => {
    const finished = deferred();
    const closed = deferred();
    const calls = await start({
      async *chat(requests) {
        try {
          for await (const request of requests) yield request;
        } finally {
          finished.resolve();
        }
      },
    });
    let waiting: () => void = () => undefined;
    const requests: AsyncIterable<Buffer> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise((resolve) => (waiting = () => resolve({ done: true, value: undefined }))),
        return: () => {
          closed.resolve();
          waiting();
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    expect(await rejection(collect(calls.chat(requests, { timeoutMs: 50 })))).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    await finished.promise;
    await closed.promise;
  });
});

describe('a reader that stalls', () => {
  it('makes the server’s handler wait: no more than the window and the queues are under way', async () => {
    let made = 0;
    const calls = await start({
      async *list() {
        for (;;) {
          made++;
          yield Buffer.alloc(1 << 20);
        }
      },
    });
    const responses = calls.list(bytes(''));
    await responses.next();
    await settled(() => made);
    expect(made).toBeLessThanOrEqual(underWay(1 << 20));
    await responses.return();
  });

  it('makes the client’s requests wait', async () => {
    let made = 0;
    const release = deferred();
    const calls = await start({
      async *chat(requests, { signal }) {
        for await (const request of requests) {
          yield request.subarray(0, 1);
          await Promise.race([release.promise, aborted(signal)]);
        }
      },
    });
    async function* requests() {
      for (;;) {
        made++;
        yield Buffer.alloc(1 << 20);
      }
    }
    const responses = calls.chat(requests());
    await responses.next();
    await settled(() => made);
    expect(made).toBeLessThanOrEqual(underWay(1 << 20));
    await responses.return();
  });

  /** The HTTP/2 window, both queues, one message each in the hands of sender, receiver and decoder. */
  function underWay(messageBytes: number): number {
    return Math.ceil(rpcLimits.windowBytes / messageBytes) + 2 * rpcLimits.messagesQueued + 4;
  }

  /** Resolves when `count` has stopped growing. */
  async function settled(count: () => number): Promise<void> {
    let last = -1;
    while (last !== count()) {
      last = count();
      await quietFor(200);
    }
  }
});
