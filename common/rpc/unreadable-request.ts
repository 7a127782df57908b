import { invalidArgument } from '../errors.js';
import type { MethodDefinition } from './method-types.js';

/** Stands for a request whose bytes are no message of its RPC. */
const UNREADABLE = Symbol('a request that cannot be read');

/**
 * The method, with a decoder that never throws: grpc-js would answer INTERNAL, as if it were the server's fault. What
 * cannot be read is found by {@link requestOf}.
 */
export function readable(method: MethodDefinition): MethodDefinition {
  return {
    ...method,
    requestDeserialize: (bytes) => {
      try {
        return method.requestDeserialize(bytes);
      } catch {
        return UNREADABLE;
      }
    },
  };
}

/** The request; INVALID_ARGUMENT where its bytes could not be read. */
export function requestOf(received: unknown): unknown {
  if (received !== UNREADABLE) return received;
  throw invalidArgument('request', 'its bytes are no message of this RPC; compare the contracts of both sides');
}
