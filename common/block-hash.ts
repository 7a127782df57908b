import { hash as digestSync, webcrypto } from 'node:crypto';
import { invalidArgument } from './errors.js';
import { wireLimits } from './limits.js';

/** Bytes of a block hash. */
export const HASH_BYTES = 32;

/** A block hash as a map key: 32 characters, one a byte. Never shown to people; see {@link hashHex}. */
export type HashKey = string & { readonly __hashKey: never };

/** Below this size the hand-over to another thread costs more than the hash. */
const OFFLOAD_BYTES = 32 * 1024;

/** SHA-256 of `content` on the calling thread: 32 bytes. */
export function hashBlockSync(content: Uint8Array): Buffer {
  return digestSync('sha256', content, 'buffer');
}

/**
 * SHA-256 of `content`: 32 bytes. Large blocks are hashed off the calling thread, on a copy, so `content` may be reused
 * once the call has returned, before the promise settles.
 */
export async function hashBlock(content: Uint8Array): Promise<Buffer> {
  if (content.length < OFFLOAD_BYTES) return hashBlockSync(content);
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', content as Uint8Array<ArrayBuffer>));
}

/** How many hashes a packed list holds. */
export function hashCount(packed: Uint8Array): number {
  return packed.length / HASH_BYTES;
}

/** The `index`-th hash of a packed list, as a view: it shares memory with `packed`. */
export function hashAt(packed: Uint8Array, index: number): Uint8Array {
  return packed.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}

/** The key of the `index`-th hash of a packed list. */
export function hashKeyAt(packed: Uint8Array, index: number): HashKey {
  return asBuffer(packed).toString('latin1', index * HASH_BYTES, (index + 1) * HASH_BYTES) as HashKey;
}

/** The key of one hash. */
export function hashKey(hash: Uint8Array): HashKey {
  return asBuffer(hash).toString('latin1', 0, HASH_BYTES) as HashKey;
}

/** The 32 bytes of a key. */
export function hashOfKey(key: HashKey): Buffer {
  return Buffer.from(key, 'latin1');
}

/** Keys as a packed list, in their order. */
export function packKeys(keys: readonly HashKey[]): Buffer {
  return Buffer.from(keys.join(''), 'latin1');
}

/** A hash for people: 64 hexadecimal digits. */
export function hashHex(hash: Uint8Array): string {
  return asBuffer(hash).toString('hex');
}

/**
 * Checks a packed list off the wire and returns how many hashes it holds; INVALID_ARGUMENT that names `field` where its
 * length is no multiple of 32 or it holds more than `max`.
 */
export function checkPackedHashes(
  field: string,
  packed: Uint8Array,
  max: number = wireLimits.hashesPerMessage,
): number {
  if (packed.length % HASH_BYTES !== 0) {
    throw invalidArgument(field, `must be packed hashes of ${HASH_BYTES} bytes each, but has ${packed.length} bytes`);
  }
  const count = hashCount(packed);
  if (count > max) throw invalidArgument(field, `must have at most ${max} hashes, but has ${count}`);
  return count;
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
