import { HASH_BYTES } from '../../common/block-hash.js';
import type { ItemPath } from '../../common/feed/item.js';
import { ID_BYTES, type Cursor } from '../../common/ids.js';

/**
 * What the LMDB engine keeps where (docs/storage-format.md). Keys and values are raw bytes, integers big-endian, so that
 * the order of keys is the order of what they say. Whatever belongs to a namespace begins with its 16 bytes.
 *
 *     journal     namespace (16), cursor (8)        → item; history, never rewritten
 *     feed        namespace (16), cursor (8)        → nothing; the entries of the journal that are current
 *     paths       namespace (16), path in UTF-8     → item head
 *     presence    namespace (16), block hash (32)   → numbers of the agents that hold it, 2 bytes each
 *     heads       namespace (16)                    → feed head
 *     namespaces  namespace (16)                    → namespace record
 *     names       name of a namespace               → namespace (16)
 *     holdings    agent (16), namespace (16)        → nothing; the assignments, by agent
 *     agents      agent (16)                        → agent record
 *     accounts    name of an account                → account record
 *     devices     device (16)                       → device record
 *     counters    "agents"                          → the last number given to an agent, 4 bytes
 */
export const treeNames = [
  'journal',
  'feed',
  'paths',
  'presence',
  'heads',
  'namespaces',
  'names',
  'holdings',
  'agents',
  'accounts',
  'devices',
  'counters',
] as const;

export type TreeName = (typeof treeNames)[number];

export const AGENT_COUNTER_KEY = Buffer.from('agents', 'latin1');

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

/** The key of a place in a journal or feed. */
export function cursorKey(namespace: Uint8Array, cursor: number): Buffer {
  const key = Buffer.allocUnsafe(ID_BYTES + CURSOR_BYTES);
  key.set(namespace, 0);
  writeUint64(key, cursor, ID_BYTES);
  return key;
}

/** The cursor of a key of the journal or feed. */
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

/** A key of the presence of a namespace's blocks; {@link setBlock} says of which. */
export function blockKey(namespace: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(ID_BYTES + HASH_BYTES);
  key.set(namespace, 0);
  return key;
}

/** Makes `key` the one of the hash that begins at `offset` of a packed list. */
export function setBlock(key: Buffer, packed: Buffer, offset: number): void {
  packed.copy(key, ID_BYTES, offset, offset + HASH_BYTES);
}

/** The key of an assignment, by agent. */
export function holdingKey(agent: Uint8Array, namespace: Uint8Array): Buffer {
  return Buffer.concat([agent, namespace]);
}

/** The first key after all that begin with `prefix`. */
export function afterPrefix(prefix: Uint8Array): Buffer {
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
