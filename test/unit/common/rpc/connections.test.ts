import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { openChannel } from '../../../../common/rpc/client.js';
import { collect, rejection, streamOf } from '../../../support/async-tools.js';
import { startRpcPair, TestService } from '../../../support/rpc-pair.js';

const CONNECT_MS = 100;

/** To a line on which the first `count` connections begin and never come to anything, as where packets are swallowed. */
function swallowing(count: number): ChannelCredentials {
  const plain = credentials.createInsecure();
  const createConnector = plain._createSecureConnector.bind(plain);
  let begun = 0;
  plain._createSecureConnector = (...args) => {
    const connector = createConnector(...args);
    const isReady = connector.waitForReady.bind(connector);
    connector.waitForReady = () => (++begun > count ? isReady() : new Promise(() => undefined));
    return connector;
  };
  return plain;
}

async function callsOver(count: number) {
  const pair = await startRpcPair({
    async *chat(requests) {
      for await (const request of requests) yield request;
    },
  });
  const channel = openChannel(pair.server.address, swallowing(count), CONNECT_MS);
  onTestFinished(async () => {
    channel.close();
    await pair.close();
  });
  return channel.service(TestService);
}

it('a stream that waits for a connection which comes to nothing fails, and the next one has a new connection', async () => {
  const calls = await callsOver(1);
  expect(await rejection(collect(calls.chat(streamOf(Buffer.from('first')))))).toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'TRANSPORT',
    message: expect.stringMatching(/^nothing answers at .+ in time$/) as unknown,
  });
  expect((await collect(calls.chat(streamOf(Buffer.from('second'))))).map(String)).toEqual(['second']);
});

it('a connection is tried for as long as it takes until one comes about', async () => {
  const calls = await callsOver(3);
  for (let attempt = 1; attempt <= 3; attempt++) {
    expect(await rejection(calls.ask(Buffer.from('ask')))).toMatchObject({ code: 'UNAVAILABLE' });
  }
  expect(String(await calls.ask(Buffer.from('ask')))).toBe('ask');
});

it('a call that the other end drops without a word is UNAVAILABLE, as where the connection is lost', async () => {
  const server = createServer().on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const channel = openChannel(`127.0.0.1:${(server.address() as AddressInfo).port}`, credentials.createInsecure());
  onTestFinished(() => {
    channel.close();
    server.close();
  });
  const calls = channel.service(TestService);
  const lost = { code: 'UNAVAILABLE', reason: 'TRANSPORT' };
  expect(await rejection(calls.ask(Buffer.from('ask')))).toMatchObject(lost);
  expect(await rejection(collect(calls.chat(streamOf(Buffer.from('chat')))))).toMatchObject(lost);
});
