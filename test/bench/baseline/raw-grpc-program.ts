import type { ServerDuplexStream } from '@grpc/grpc-js';
import { wireLimits } from '../../../common/limits.js';
import { WindowedServer } from '../../../common/rpc/flow-control.js';
import { byteStreamMethods, PIECE, type Piece } from './byte-stream.js';
import { rawServerCredentials } from './raw-credentials.js';

/**
 * grpc-js with nothing around it, except the windows and limits without which it is slow: what our own factories are
 * measured against. A program: `raw-grpc-program [IDENTITY-DIR]`, with mutual TLS
 * where there is a directory. Prints its address, serves until it is ended.
 */
type Call = ServerDuplexStream<Piece, Piece>;

function put(call: Call): void {
  let received = 0;
  call.on('data', () => received++);
  call.on('end', () => {
    call.write({ data: Buffer.alloc(received) });
    call.end();
  });
}

function get(call: Call): void {
  call.once('data', ({ data }: Piece) => {
    let left = data.length;
    const send = (): void => {
      while (left > 0) {
        left--;
        if (!call.write(PIECE)) {
          call.once('drain', send);
          return;
        }
      }
      call.end();
    };
    send();
  });
  call.on('end', () => undefined);
}

const server = new WindowedServer(
  { 'grpc.max_receive_message_length': wireLimits.messageBytes, 'grpc.enable_channelz': 0 },
  () => undefined,
);
server.addService(byteStreamMethods, { put, get });
const credentials = await rawServerCredentials(process.argv[2]);
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error !== null) throw error;
  console.log(`127.0.0.1:${port}`);
});
