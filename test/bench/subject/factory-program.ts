import { Registry } from 'prom-client';
import { systemClock } from '../../../common/clock.js';
import { wireLimits } from '../../../common/limits.js';
import { silentLogger } from '../../../common/logging.js';
import { allowHeapGrowth } from '../../../common/program/heap.js';
import { CallGate } from '../../../common/rpc/call-gate.js';
import { createRpcServerMetrics } from '../../../common/rpc/rpc-metrics.js';
import { serve, startRpcServer } from '../../../common/rpc/server.js';
import { byteStreamMethods, PIECE, PIECE_BYTES, type Piece } from '../baseline/byte-stream.js';
import { streamTransport } from './stream-identities.js';

/**
 * The byte stream service through our own factory. A program: `factory-program [IDENTITY-DIR]`, with mutual
 * TLS where there is a directory. Prints its address, serves until it is ended.
 */
async function* put(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece, void, undefined> {
  let received = 0;
  for await (const { data } of pieces) received += data.length / PIECE_BYTES;
  yield { data: Buffer.alloc(received) };
}

async function* get(requests: AsyncIterable<Piece>): AsyncGenerator<Piece, void, undefined> {
  for await (const { data } of requests) {
    let left = data.length;
    while (left-- > 0) yield PIECE;
  }
}

// As every program of ours that moves blocks.
allowHeapGrowth();
const server = await startRpcServer({
  listen: '127.0.0.1:0',
  credentials: (await streamTransport(process.argv[2], 'agent')).server,
  gate: new CallGate({ clock: systemClock }),
  services: [
    serve(
      byteStreamMethods,
      { put, get },
      { audience: { put: 'device', get: 'device' }, requestBytes: { put: wireLimits.messageBytes } },
    ),
  ],
  metrics: createRpcServerMetrics(
    new Registry(),
    Object.values(byteStreamMethods).map(({ path }) => path),
  ),
  logger: silentLogger(),
});
console.log(server.address);
