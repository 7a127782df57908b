import { afterEach, describe, expect, it } from 'vitest';
import { DrystoneError, invalidArgument, overloaded } from '../../../../common/errors.js';
import { wireLimits } from '../../../../common/limits.js';
import { openChannel } from '../../../../common/rpc/client.js';
import { readTrustedCertificates } from '../../../../common/rpc/first-contact.js';
import { collect, rejection, streamOf } from '../../../support/async-tools.js';
import { loopbackCredentials } from '../../../support/trust/loopback-credentials.js';
import { startRpcPair, TestService, type RpcPair, type TestImplementation } from '../../../support/rpc-pair.js';

let pair: RpcPair | undefined;

async function start(...[implementation, options]: Parameters<typeof startRpcPair>): Promise<RpcPair['calls']> {
  pair = await startRpcPair(implementation, options);
  return pair.calls;
}

afterEach(async () => {
  await pair?.close();
  pair = undefined;
});

const bytes = (text: string): Buffer => Buffer.from(text);

/** A stream that fails before its first value. */
async function* raises(error: Error): AsyncGenerator<Buffer> {
  yield await Promise.reject<Buffer>(error);
}

describe('calls', () => {
  it('answers a single request', async () => {
    const calls = await start({ ask: async (request) => Buffer.concat([bytes('re: '), request]) });
    expect(String(await calls.ask(bytes('hello')))).toBe('re: hello');
  });

  it('streams responses in order', async () => {
    const calls = await start({
      async *list(request) {
        for (let i = 0; i < Number(request); i++) yield bytes(String(i));
      },
    });
    const answers = await collect(calls.list(bytes('100')));
    expect(answers.map(String)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
  });

  it('streams both ways, each answer to its request', async () => {
    const calls = await start({
      async *chat(requests) {
        for await (const request of requests) yield Buffer.concat([request, request]);
      },
    });
    const answers = await collect(calls.chat(streamOf(bytes('a'), bytes('b'), bytes('c'))));
    expect(answers.map(String)).toEqual(['aa', 'bb', 'cc']);
  });

  it('ends a stream whose handler has had enough, and closes the requests', async () => {
    const calls = await start({
      async *chat(requests) {
        for await (const request of requests) {
          yield request;
          return;
        }
      },
    });
    let closed = false;
    async function* requests() {
      try {
        for (;;) yield bytes('more');
      } finally {
        closed = true;
      }
    }
    expect(await collect(calls.chat(requests()))).toHaveLength(1);
    await expect.poll(() => closed).toBe(true);
  });
});

describe('errors over the wire', () => {
  it.each([
    ['one field', invalidArgument('items[3].path', 'must not be empty')],
    ['a retry delay', overloaded('too many streams', 1234)],
    ['facts', new DrystoneError('NOT_FOUND', 'BLOCKS_UNAVAILABLE', 'gone', { facts: { agent: 'a1', blocks: '3' } })],
    ['not a word of ASCII', new DrystoneError('DATA_LOSS', 'STORE_FAILED', 'kaputt: Größe ≠ 0 🧱\nline two')],
  ])('come back as the same error: %s', async (_, thrown) => {
    const calls = await start({
      ask: () => Promise.reject(thrown),
      list: () => raises(thrown),
    });
    const unary = await rejection(calls.ask(bytes('')));
    const streamed = await rejection(collect(calls.list(bytes(''))));
    for (const error of [unary, streamed] as DrystoneError[]) {
      expect(error).toBeInstanceOf(DrystoneError);
      expect(error.code).toBe(thrown.code);
      expect(error.reason).toBe(thrown.reason);
      expect(error.message).toBe(thrown.message);
      expect(error.details).toEqual(thrown.details);
    }
  });

  it('tells nothing of an unexpected exception but its message', async () => {
    const calls = await start({ ask: () => Promise.reject(new TypeError('x is not a function')) });
    const error = await rejection(calls.ask(bytes('')));
    expect(error).toMatchObject({
      code: 'INTERNAL',
      reason: 'INTERNAL',
      message: 'internal error: x is not a function',
    });
  });

  it('survive a handler that throws before its first await', async () => {
    const calls = await start({
      ask: () => {
        throw invalidArgument('name', 'is missing');
      },
    });
    expect(await rejection(calls.ask(bytes('')))).toMatchObject({
      reason: 'FIELD_INVALID',
      details: { field: 'name' },
    });
  });

  it('cut a long message between characters, and never split one', async () => {
    const calls = await start({
      ask: (request) =>
        Promise.reject(new DrystoneError('ABORTED', 'OVERLOADED', `${String(request)}${'🧱'.repeat(4000)}`)),
    });
    for (const lead of ['', 'a', 'ab', 'abc']) {
      const error = (await rejection(calls.ask(bytes(lead)))) as DrystoneError;
      expect(error.code).toBe('ABORTED');
      expect(error.message.isWellFormed()).toBe(true);
      const length = Buffer.byteLength(error.message);
      expect(length).toBeLessThanOrEqual(wireLimits.errorMessageBytes);
      expect(length).toBeGreaterThan(wireLimits.errorMessageBytes - 4);
    }
  });

  it('pass a message that is not well-formed Unicode', async () => {
    const calls = await start({
      ask: () => Promise.reject(new DrystoneError('ABORTED', 'OVERLOADED', 'half \ud83e pair')),
    });
    expect(await rejection(calls.ask(bytes('')))).toMatchObject({ code: 'ABORTED', message: 'half \ufffd pair' });
  });

  it('after messages: the reader gets the error, and no message after a gap', async () => {
    const calls = await start({
      async *list() {
        for (let i = 0; i < 10; i++) yield bytes(String(i));
        throw overloaded('no more', 5);
      },
    });
    const got: string[] = [];
    const error = await rejection(
      (async () => {
        for await (const message of calls.list(bytes(''))) got.push(String(message));
      })(),
    );
    expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { retryAfterMs: 5 } });
    expect(got).toEqual(got.map((_, i) => String(i)));
  });

  it('of a server that is not there are UNAVAILABLE and say where', async () => {
    const channel = openChannel('127.0.0.1:1', loopbackCredentials().channelTo('metadata'));
    const calls = channel.service(TestService);
    const unary = await rejection(calls.ask(bytes(''), { timeoutMs: 5000 }));
    const streamed = await rejection(collect(calls.list(bytes(''), { timeoutMs: 5000 })));
    channel.close();
    for (const error of [unary, streamed]) {
      expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: 'TRANSPORT', isTransient: true });
      expect((error as Error).message).toBe('nothing answers at 127.0.0.1:1 (connect ECONNREFUSED 127.0.0.1:1)');
    }
  });

  it('of a host that nobody knows are UNAVAILABLE and say that', async () => {
    const channel = openChannel('nohost.invalid:7420', loopbackCredentials().channelTo('metadata'));
    const error = await rejection(channel.service(TestService).ask(bytes(''), { timeoutMs: 20_000 }));
    channel.close();
    const message = 'cannot find host nohost.invalid (nohost.invalid:7420)';
    expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: 'TRANSPORT', isTransient: true, message });
    await expect(readTrustedCertificates('nohost.invalid:7420', Buffer.alloc(32))).rejects.toMatchObject({ message });
  });

  it('of an RPC that the server does not have are UNIMPLEMENTED', async () => {
    await start({});
    const elsewhere = { ask: { ...TestService.ask, path: '/drystone.test.v1.TestService/Nothing' } };
    const error = await rejection(pair!.channel.service(elsewhere).ask(bytes('')));
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED', reason: 'TRANSPORT' });
  });
});

describe('bad messages', () => {
  it('over the limit are refused by the sender: RESOURCE_EXHAUSTED', async () => {
    const calls = await start({});
    const error = await rejection(calls.ask(Buffer.alloc(wireLimits.messageBytes + 1)));
    expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'TRANSPORT' });
  });

  it('over the limit are refused by the receiver too: RESOURCE_EXHAUSTED', async () => {
    const { Client, credentials } = await import('@grpc/grpc-js');
    const calls = await start({});
    const careless = new Client(pair!.server.address, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
    });
    const { path, requestSerialize, responseDeserialize } = TestService.ask;
    const code = await new Promise((resolve) => {
      const tooLong = Buffer.alloc(wireLimits.messageBytes + 1);
      careless.makeUnaryRequest(path, requestSerialize, responseDeserialize, tooLong, (error) => resolve(error?.code));
    });
    careless.close();
    expect(code).toBe(8);
    expect(String(await calls.ask(bytes('still there')))).toBe('still there');
  });

  it('over the limit in an answer end the call: RESOURCE_EXHAUSTED', async () => {
    const calls = await start({
      ask: async () => Buffer.alloc(wireLimits.messageBytes + 1),
      async *list() {
        yield Buffer.alloc(wireLimits.messageBytes + 1);
      },
    });
    expect(await rejection(calls.ask(bytes('')))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(await rejection(collect(calls.list(bytes(''))))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  it('that are as long as the limit pass', async () => {
    const calls = await start({});
    expect(await calls.ask(Buffer.alloc(wireLimits.messageBytes))).toHaveLength(wireLimits.messageBytes);
  });

  it('of an RPC that carries no content have a limit of their own', async () => {
    const echo: TestImplementation['chat'] = (requests) => requests;
    const calls = await start({ chat: echo }, { requestBytes: {} });
    expect(await calls.ask(Buffer.alloc(wireLimits.requestBytes))).toHaveLength(wireLimits.requestBytes);
    const tooLong = Buffer.alloc(wireLimits.requestBytes + 1);
    for (const call of [calls.ask(tooLong), collect(calls.list(tooLong)), collect(calls.chat(streamOf(tooLong)))]) {
      expect(await rejection(call)).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    }
  });

  it('that cannot be decoded end their call and nothing else', async () => {
    const calls = await start({
      async *chat(requests) {
        for await (const request of requests) yield request;
      },
    });
    const malformed = bytes('malformed');
    const unreadable = { code: 'INVALID_ARGUMENT', reason: 'FIELD_INVALID', details: { field: 'request' } };
    expect(await rejection(calls.ask(malformed))).toMatchObject(unreadable);
    expect(await rejection(collect(calls.list(malformed)))).toMatchObject(unreadable);
    expect(await rejection(collect(calls.chat(streamOf(bytes('well'), malformed))))).toMatchObject(unreadable);
    expect(String(await calls.ask(bytes('still there')))).toBe('still there');
  });

  it('that an answer turns out to be end the call at the client', async () => {
    const calls = await start({
      async *list() {
        yield bytes('well');
        yield bytes('malformed');
      },
    });
    expect(await rejection(collect(calls.list(bytes(''))))).toMatchObject({ code: 'INTERNAL' });
  });

  it('of garbage bytes on the connection leave the server standing', async () => {
    const calls = await start({});
    const { connect } = await import('node:net');
    const [host, port] = pair!.server.address.split(':');
    for (const garbage of ['GET / HTTP/1.1\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + '\xff'.repeat(200)]) {
      const socket = connect(Number(port), host);
      socket.on('error', () => undefined).resume();
      socket.end(Buffer.from(garbage, 'latin1'));
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(String(await calls.ask(bytes('still there')))).toBe('still there');
  });
});
