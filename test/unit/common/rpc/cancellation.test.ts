import { afterEach, describe, expect, it } from 'vitest';
import { aborted, collect, deferred, quietFor, rejection, streamOf } from '../../../support/async-tools.js';
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

async function* oneThenSilence(first: Buffer, onClose: () => void): AsyncGenerator<Buffer> {
  const closed = deferred();
  try {
    yield first;
    await closed.promise;
  } finally {
    onClose();
  }
}

describe('a client that cancels', () => {
  it('by its signal: the handler’s signal aborts and its finally blocks run', async () => {
    const begun = deferred();
    const finished = deferred<boolean>();
    const calls = await start({
      async *list(_, { signal }) {
        try {
          yield bytes('first');
          begun.resolve();
          await aborted(signal);
        } finally {
          finished.resolve(signal.aborted);
        }
      },
    });
    const abort = new AbortController();
    const reading = rejection(collect(calls.list(bytes(''), { signal: abort.signal })));
    await begun.promise;
    abort.abort();
    expect(await reading).toMatchObject({ code: 'CANCELLED', reason: 'CANCELLED' });
    expect(await finished.promise).toBe(true);
  });

  it('during a single request', async () => {
    const begun = deferred();
    const finished = deferred();
    const calls = await start({
      ask: async (request, { signal }) => {
        begun.resolve();
        await aborted(signal);
        finished.resolve();
        return request;
      },
    });
    const abort = new AbortController();
    const asking = rejection(calls.ask(bytes(''), { signal: abort.signal }));
    await begun.promise;
    abort.abort();
    expect(await asking).toMatchObject({ code: 'CANCELLED', reason: 'CANCELLED' });
    await finished.promise;
  });

  it('before the handler has begun to read: the requests end there and then', async () => {
    const begun = deferred();
    const ended = deferred<unknown>();
    const calls = await start({
      async *chat(requests, { signal }) {
        begun.resolve();
        await aborted(signal);
        ended.resolve(await rejection(collect(requests)));
      },
    });
    const abort = new AbortController();
    const chatting = rejection(
      collect(
        calls.chat(
          oneThenSilence(bytes('first'), () => {}),
          { signal: abort.signal },
        ),
      ),
    );
    await begun.promise;
    abort.abort();
    expect(await chatting).toMatchObject({ reason: 'CANCELLED' });
    expect(await ended.promise).toMatchObject({ reason: 'CANCELLED' });
  });

  it('before it began: nothing is sent', async () => {
    let asked = 0;
    const calls = await start({
      ask: async (request) => {
        asked++;
        return request;
      },
    });
    const options = { signal: AbortSignal.abort() };
    expect(await rejection(calls.ask(bytes(''), options))).toMatchObject({ reason: 'CANCELLED' });
    expect(await rejection(collect(calls.chat(streamOf(), options)))).toMatchObject({ reason: 'CANCELLED' });
    await calls.ask(bytes(''));
    expect(asked).toBe(1);
  });

  it('by leaving the iteration: the call is cancelled and the requests are closed', async () => {
    const finished = deferred();
    const calls = await start({
      async *chat(requests, { signal }) {
        try {
          for await (const request of requests) yield request;
        } finally {
          await aborted(signal);
          finished.resolve();
        }
      },
    });
    let sent = 0;
    const closed = deferred();
    async function* requests() {
      try {
        for (;;) {
          sent++;
          yield bytes('more');
        }
      } finally {
        closed.resolve();
      }
    }
    for await (const message of calls.chat(requests())) {
      expect(String(message)).toBe('more');
      break;
    }
    await finished.promise;
    await closed.promise;
    const sentAtEnd = sent;
    await calls.ask(bytes(''));
    expect(sent).toBe(sentAtEnd);
  });

  it('by leaving while a message is awaited: that wait ends without a value', async () => {
    const finished = deferred();
    const calls = await start({
      async *list(_, { signal }) {
        yield bytes('first');
        await aborted(signal);
        finished.resolve();
      },
    });
    const responses = calls.list(bytes(''));
    await responses.next();
    const awaited = responses.next();
    await responses.return();
    expect(await awaited).toEqual({ done: true, value: undefined });
    await finished.promise;
  });

  it('while the handler waits for a request: the iteration of them is over, and the signal aborts', async () => {
    const over = deferred();
    const finished = deferred();
    const calls = await start({
      async *chat(requests, { signal }) {
        try {
          for await (const request of requests) yield request;
        } finally {
          over.resolve();
          await aborted(signal);
          finished.resolve();
        }
      },
    });
    const responses = calls.chat(oneThenSilence(bytes('first'), () => undefined));
    await responses.next();
    await responses.return();
    await over.promise;
    await finished.promise;
  });

  it('while the handler waits for room to send: the handler goes on and ends', async () => {
    const finished = deferred();
    const blocked = deferred();
    const calls = await start({
      async *list() {
        try {
          for (let i = 0; ; i++) {
            if (i === 40) blocked.resolve();
            yield Buffer.alloc(1 << 20);
          }
        } finally {
          finished.resolve();
        }
      },
    });
    const abort = new AbortController();
    const responses = calls.list(bytes(''), { signal: abort.signal });
    await responses.next();
    const stalled = await Promise.race([blocked.promise.then(() => false), quietFor(300).then(() => true)]);
    expect(stalled).toBe(true);
    abort.abort();
    await finished.promise;
  });

  it('by closing its channel: open calls and later ones raise CANCELLED', async () => {
    const calls = await start({
      async *list(_, { signal }) {
        yield bytes('first');
        await aborted(signal);
      },
      ask: async (request, { signal }) => {
        await aborted(signal);
        return request;
      },
    });
    const responses = calls.list(bytes(''));
    await responses.next();
    const asking = rejection(calls.ask(bytes('')));
    const reading = rejection(responses.next());
    pair!.channel.close();
    expect(await asking).toMatchObject({ code: 'CANCELLED' });
    expect(await reading).toMatchObject({ code: 'CANCELLED' });
    expect(await rejection(calls.ask(bytes('')))).toMatchObject({ code: 'CANCELLED' });
    expect(await rejection(collect(calls.list(bytes(''))))).toMatchObject({ code: 'CANCELLED' });
  });

  it('by vanishing: the handler’s signal aborts', async () => {
    const { connect } = await import('node:http2');
    const begun = deferred();
    const finished = deferred();
    await start({
      async *chat(requests, { signal }) {
        void aborted(signal).then(finished.resolve);
        begun.resolve();
        yield* requests;
      },
    });
    const session = connect(`http://${pair!.server.address}`);
    session.on('error', () => undefined);
    const headers = {
      ':method': 'POST',
      ':path': '/drystone.test.v1.TestService/Chat',
      'content-type': 'application/grpc',
    };
    session.request(headers).on('error', () => undefined);
    await begun.promise;
    session.destroy();
    await finished.promise;
  });
});
