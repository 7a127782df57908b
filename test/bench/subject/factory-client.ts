import { openChannel } from '../../../common/rpc/client.js';
import { byteStreamMethods, PIECE, PIECE_BYTES, type Piece } from '../baseline/byte-stream.js';
import type { RawClient } from '../baseline/raw-grpc-client.js';
import { streamServerId, streamTransport } from './stream-identities.js';

/** The calling half of the byte stream service through our own factory. */
export async function connectFactory(address: string, identityDir?: string): Promise<RawClient> {
  const transport = await streamTransport(identityDir, 'device');
  const channel = openChannel(address, transport.channelTo(await streamServerId(identityDir)));
  const service = channel.service(byteStreamMethods);
  return {
    async put(count) {
      let taken = 0;
      for await (const { data } of service.put(pieces(count))) taken += data.length;
      expectAll(taken, count);
    },
    async get(count) {
      let received = 0;
      for await (const { data } of service.get(only({ data: Buffer.alloc(count) })))
        received += data.length / PIECE_BYTES;
      expectAll(received, count);
    },
    close: () => channel.close(),
  };
}

async function* pieces(count: number): AsyncGenerator<Piece, void, undefined> {
  for (let sent = 0; sent < count; sent++) yield PIECE;
}

async function* only(piece: Piece): AsyncGenerator<Piece, void, undefined> {
  yield piece;
}

function expectAll(actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${actual} of ${expected} pieces arrived`);
}
