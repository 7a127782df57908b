import type { ItemPath } from '../feed/item.js';
import { ID_BYTES, type Cursor } from '../ids.js';

/**
 * Keys of ordered stores. They are raw bytes, integers big-endian, so that the order of keys is the order of what they say;
 * whatever belongs to a namespace begins with its 16 bytes, so that a namespace is one range.
 */

const CURSOR_BYTES = 8;
const TWO_TO_32 = 2 ** 32;

/** Writes a whole number of up to 53 bits as 8 bytes; without BigInt, which costs more than the rest of a key. */
export function writeUint64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32BE(Math.floor(value / TWO_TO_32), offset);
  target.writeUInt32BE(value % TWO_TO_32, offset + 4);
}

/** The inverse of {@link writeUint64}. */
export function readUint64(source: Buffer, offset: number): number {
  return source.readUInt32BE(offset) * TWO_TO_32 + source.readUInt32BE(offset + 4);
}

/** A whole number of up to 53 bits as 8 bytes. */
export function uint64Of(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  writeUint64(bytes, value, 0);
  return bytes;
}

/** The key of a place in a namespace's feed, journal or log. */
export function cursorKey(namespace: Uint8Array, cursor: number): Buffer {
  const key = Buffer.allocUnsafe(ID_BYTES + CURSOR_BYTES);
  key.set(namespace, 0);
  writeUint64(key, cursor, ID_BYTES);
  return key;
}

/** The place that such a key names. */
export function cursorOfKey(key: Uint8Array): Cursor {
  const view = Buffer.from(key.buffer, key.byteOffset, ID_BYTES + CURSOR_BYTES);
  return readUint64(view, ID_BYTES) as Cursor;
}

/** The key of what a path holds. */
export function pathKey(namespace: Uint8Array, path: ItemPath): Buffer {
  const key = Buffer.allocUnsafe(ID_BYTES + Buffer.byteLength(path));
  key.set(namespace, 0);
  key.write(path, ID_BYTES);
  return key;
}

/** No key comes before this one. */
export const FIRST_KEY = Buffer.alloc(1);

/** A part of a tree: from `start` up to, and without, `end`. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end?: Uint8Array;
}

/** All keys after `after`, or all. */
export function keysAfter(after: Uint8Array | undefined): KeyRange {
  return { start: after === undefined ? FIRST_KEY : nextKey(after) };
}

/** The keys that begin with `prefix`: those after `after`, or all. */
export function keysWithPrefix(prefix: Uint8Array, after?: Uint8Array): KeyRange {
  return { start: after === undefined ? prefix : nextKey(after), end: afterPrefix(prefix) };
}

/** The shortest key after `key`. */
function nextKey(key: Uint8Array): Buffer {
  return Buffer.concat([key, FIRST_KEY]);
}

/** The first key after all that begin with `prefix`. */
function afterPrefix(prefix: Uint8Array): Buffer {
  const next = Buffer.from(prefix);
  for (let index = next.length - 1; index >= 0; index--) {
    const byte = next.readUInt8(index);
    if (byte < 0xff) {
      next.writeUInt8(byte + 1, index);
      return next.subarray(0, index + 1);
    }
  }
  // All bytes are 255: what is longer than any key with this prefix comes after them.
  return Buffer.alloc(prefix.length + ID_BYTES + 1, 0xff);
}
