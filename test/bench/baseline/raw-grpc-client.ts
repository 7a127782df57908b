import { Client, Metadata, type ClientDuplexStream } from '@grpc/grpc-js';
import { rpcLimits, wireLimits } from '../../../common/limits.js';
import { byteStreamMethods, PIECE, type Piece } from './byte-stream.js';
import { rawChannelCredentials } from './raw-credentials.js';

/** The calling half of the raw baseline. */
export interface RawClient {
  /** Sends `count` pieces and waits until the server has taken them all. */
  put(count: number): Promise<void>;
  /** Fetches `count` pieces. */
  get(count: number): Promise<void>;
  close(): void;
}

export async function connectRaw(address: string, identityDir?: string): Promise<RawClient> {
  const client = new Client(address, await rawChannelCredentials(identityDir), {
    'grpc-node.flow_control_window': rpcLimits.windowBytes,
    'grpc.max_receive_message_length': wireLimits.messageBytes,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
  });
  const open = (name: 'put' | 'get'): ClientDuplexStream<Piece, Piece> => {
    const { path, requestSerialize, responseDeserialize } = byteStreamMethods[name];
    return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
  };
  return {
    put: (count) => {
      const call = open('put');
      let left = count;
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
      return received(call, count, (piece) => piece.data.length);
    },
    get: (count) => {
      const call = open('get');
      call.write({ data: Buffer.alloc(count) });
      call.end();
      return received(call, count, () => 1);
    },
    close: () => client.close(),
  };
}

function received(
  call: ClientDuplexStream<Piece, Piece>,
  expected: number,
  weigh: (piece: Piece) => number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let count = 0;
    call.on('data', (piece: Piece) => (count += weigh(piece)));
    call.on('error', reject);
    call.on('end', () => {
      if (count === expected) resolve();
      else reject(new Error(`${count} of ${expected} pieces arrived`));
    });
  });
}
