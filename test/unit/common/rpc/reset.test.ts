import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { rpcLimits } from '../../../../common/limits.js';
import { openChannel, type RpcChannel } from '../../../../common/rpc/client.js';
import { mutualTls } from '../../../../common/rpc/transport-credentials.js';
import { collect, rejection } from '../../../support/async-tools.js';
import { TestService } from '../../../support/rpc-pair.js';
import { startTcpProxy, type TcpProxy } from '../../../support/tcp-proxy.js';
import { TestAuthority } from '../../../support/trust/test-authority.js';
import { TlsServerUnderTest } from '../../../support/trust/tls-server.js';
import { waitUntil } from '../../../support/wait-until.js';

const MiB = 1024 * 1024;
/** As a request may have that is not meant for blocks. */
const MESSAGE_BYTES = 32 * 1024;
/** A reset is noticed before the silence that follows it. */
const timeout = rpcLimits.serverSilenceMs - 5_000;

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

let server: TlsServerUnderTest;
let network: TcpProxy;
let channel: RpcChannel;
let abandoned: Promise<void>;
beforeEach(async () => {
  let abandon = (): void => undefined;
  abandoned = new Promise((resolve) => (abandon = resolve));
  server = await TlsServerUnderTest.start(authority, {
    implementation: {
      async *chat(requests) {
        for await (const _ of requests);
      },
      async *list(_, { signal }) {
        signal.addEventListener('abort', () => abandon());
        yield* endless(() => signal.aborted);
      },
    },
  });
  network = await startTcpProxy(server.server.address);
  const { channelTo } = mutualTls(await authority.device());
  channel = openChannel(network.address, channelTo('metadata'));
});
afterEach(async () => {
  channel.close();
  await network.close();
  await server.close();
});

async function* endless(isOver = (): boolean => false): AsyncGenerator<Buffer, void, undefined> {
  while (!isOver()) yield Buffer.alloc(MESSAGE_BYTES);
}

/** Lets so much through that both ends are at work, then nothing, so that the writer waits; then the line is cut with a reset. */
async function cutInTheMiddle(passed: () => number): Promise<void> {
  await waitUntil('much is on its way', () => passed() > 20 * MiB);
  network.stall();
  let before = -1;
  await waitUntil('nothing passes any more', () => before === (before = passed()), undefined, 200);
  network.cut();
  network.resume();
}

it('a client that is writing learns that its connection was reset', { timeout }, async () => {
  const calls = channel.service(TestService);
  const failed = rejection(collect(calls.chat(endless())));
  await cutInTheMiddle(() => network.bytesUp);
  expect(await failed).toMatchObject({ code: 'UNAVAILABLE' });
  expect(String(await calls.ask(Buffer.from('and goes on')))).toBe('and goes on');
});

it('a server that is writing learns that its client has reset the connection', { timeout }, async () => {
  const drained = rejection(
    (async () => {
      for await (const _ of channel.service(TestService).list(Buffer.alloc(1)));
    })(),
  );
  await cutInTheMiddle(() => network.bytesDown);
  await drained;
  await abandoned;
});
