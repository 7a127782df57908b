import { hashHex } from '../../../common/block-hash.js';
import { DrystoneError } from '../../../common/errors.js';
import type { RpcChannel } from '../../../common/rpc/client.js';
import type { CallOptions, ServiceCaller, ServiceMethods } from '../../../common/rpc/method-types.js';
import type {
  GetBlocksRequest,
  HasBlocksRequest,
  HasBlocksResponse,
  PutBlocksResponse,
} from '../../../proto/gen/drystone/block/v1/block.js';
import type { Block } from '../../../server/block.js';
import type { OutgoingGetAnswer, OutgoingPut } from '../../../server/block-codec.js';
import { NAMESPACE } from './sample-blocks.js';

type Stream<Request, Response> = (
  requests: AsyncIterable<Request>,
  options: CallOptions,
) => AsyncGenerator<Response, void, undefined>;

/** What a block server does with the streams that are opened, one after the other. */
export interface StreamScripts {
  readonly put?: Stream<OutgoingPut, PutBlocksResponse>;
  readonly get?: Stream<GetBlocksRequest, OutgoingGetAnswer>;
  readonly has?: Stream<HasBlocksRequest, HasBlocksResponse>;
}

/** A block server without a network: the streams of its channel go straight to the scripts. */
export class ScriptedServer {
  /** The access token of every stream opened so far. */
  readonly tokens: (string | undefined)[] = [];
  /** Streams that are open now. */
  openCount = 0;
  readonly channel: RpcChannel;

  constructor(scripts: StreamScripts) {
    const calls = {
      putBlocks: this.#caller(scripts.put),
      getBlocks: this.#caller(scripts.get),
      hasBlocks: this.#caller(scripts.has),
    };
    this.channel = {
      address: 'scripted:0',
      service: <S extends ServiceMethods>() => calls as unknown as ServiceCaller<S>,
      close: () => undefined,
    };
  }

  #caller<Request, Response>(script: Stream<Request, Response> | undefined): Stream<Request, Response> {
    const open = async function* (
      this: ScriptedServer,
      requests: AsyncIterable<Request>,
      options: CallOptions,
    ): AsyncGenerator<Response, void, undefined> {
      const iterator = requests[Symbol.asyncIterator]();
      this.tokens.push(options.accessToken);
      this.openCount++;
      try {
        if (script !== undefined) yield* script({ [Symbol.asyncIterator]: () => iterator }, options);
      } finally {
        this.openCount--;
        // As a transport does: it closes the requests, and does not wait for that.
        void iterator.return?.();
      }
    };
    return open.bind(this);
  }
}

/** A receipt's message, signed by nobody. */
export function receiptFor(hashes: Uint8Array): PutBlocksResponse {
  const agentId = 'a'.repeat(32);
  const signature = Buffer.alloc(64);
  return { receipt: { agentId, namespaceId: NAMESPACE, issuedAtMs: 1n, hashes: Buffer.from(hashes), signature } };
}

/** What a server ends a stream with whose token has expired. */
export function tokenExpired(): DrystoneError {
  return new DrystoneError('UNAUTHENTICATED', 'TOKEN_EXPIRED', 'the token has ended');
}

/** Packed hashes as words that a failing test can show. */
export function wordsOf(hashes: Uint8Array): string[] {
  return (hashHex(hashes).match(/.{64}/g) ?? []).map((hex) => hex.slice(0, 8));
}

/** A stream that is refused. */
export async function* refuse(error: DrystoneError): AsyncGenerator<never, void, undefined> {
  yield* [];
  throw error;
}

/** An answer with one block. */
export function answerOf({ hash, data }: Block): OutgoingGetAnswer {
  // No transport copies the pieces into one, as the client has them.
  const pieces = data as unknown as readonly Uint8Array[];
  return { batch: { hashes: hash, sizes: [data.length], data: pieces }, missingHashes: Buffer.alloc(0) };
}
