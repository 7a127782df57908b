import { HASH_BYTES } from '../../common/block-hash.js';
import type { ItemPath } from '../../common/feed/item.js';
import { ID_BYTES, type AccountName, type Cursor } from '../../common/ids.js';

/**
 * What the LMDB engine keeps where (docs/storage-format.md). Keys and values are raw bytes, integers big-endian, so that
 * the order of keys is the order of what they say. Whatever belongs to a namespace begins with its 16 bytes.
 *
 *     journal         namespace (16), cursor (8)        → item; history, never rewritten
 *     feed            namespace (16), cursor (8)        → nothing; the entries of the journal that are current
 *     paths           namespace (16), path in UTF-8     → item head
 *     presence        namespace (16), block hash (32)   → numbers of the agents that hold it, 2 bytes each
 *     heads           namespace (16)                    → feed head
 *     namespaces      namespace (16)                    → namespace record
 *     names           name of a namespace               → namespace (16)
 *     members         namespace (16), account           → role, 1 byte
 *     memberships     account, 0, namespace (16)        → nothing; the members, by account
 *     holdings        agent (16), namespace (16)        → nothing; the assignments, by agent
 *     agents          agent (16)                        → agent record
 *     accounts        account                           → account record
 *     devices         device (16)                       → device record
 *     accountDevices  account, 0, device (16)           → nothing; the devices, by account
 *     tokens          one-time token (16)               → token record
 *     tokenExpiries   end in ms (8), token (16)         → nothing; the one-time tokens, by when they end
 *     accountTokens   account, 0, token (16)            → nothing; those for devices that nobody has redeemed, by account
 *     tokenKeys       key id                            → token key record
 *     audit           sequence (8)                      → audit entry
 *     counters        name of a counter                 → 8 bytes
 *
 * An account is its name, which has no zero byte in it.
 */
export const treeNames = [
  'journal',
  'feed',
  'paths',
  'presence',
  'heads',
  'namespaces',
  'names',
  'members',
  'memberships',
  'holdings',
  'agents',
  'accounts',
  'devices',
  'accountDevices',
  'tokens',
  'tokenExpiries',
  'accountTokens',
  'tokenKeys',
  'audit',
  'counters',
] as const;

export type TreeName = (typeof treeNames)[number];

/**
 * The last number given to an agent, how many agents were revoked, the last sequence of the audit log, and how many one-time
 * tokens are kept that nobody has redeemed.
 */
export type CounterName = 'agents' | 'revokedAgents' | 'audit' | 'waitingTokens';

const CURSOR_BYTES = 8;
const TIME_BYTES = 8;
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

/** The key of a member. */
export function memberKey(namespace: Uint8Array, account: AccountName): Buffer {
  const key = Buffer.allocUnsafe(ID_BYTES + Buffer.byteLength(account));
  key.set(namespace, 0);
  key.write(account, ID_BYTES);
  return key;
}

/** The account of a key of the members. */
export function accountOfMemberKey(key: Uint8Array): AccountName {
  return Buffer.from(key).toString('utf8', ID_BYTES) as AccountName;
}

/** The key of a device or a membership, by account; without an id what all of the account's begin with. */
export function keyOfAccount(account: AccountName, id?: Uint8Array): Buffer {
  const prefix = Buffer.from(`${account}\0`);
  return id === undefined ? prefix : Buffer.concat([prefix, id]);
}

/** The id with which a key ends. */
export function idAtEnd<Id extends string>(key: Uint8Array): Id {
  return Buffer.from(key.subarray(-ID_BYTES)).toString('hex') as Id;
}

/** A whole number of up to 53 bits as 8 bytes: the key of an entry of the audit log, the value of a counter. */
export function uint64Of(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  writeUint64(bytes, value, 0);
  return bytes;
}

/** The key of a one-time token, by when it ends. */
export function expiryKey(expiresAtMs: number, token: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(TIME_BYTES + ID_BYTES);
  writeUint64(key, expiresAtMs, 0);
  key.set(token, TIME_BYTES);
  return key;
}

/** The keys of the one-time tokens that have ended by `atMs`. */
export function keysExpiredBy(atMs: number): KeyRange {
  return { start: FIRST_KEY, end: uint64Of(atMs + 1) };
}

/** No key comes before this one. */
const FIRST_KEY = Buffer.alloc(1);

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
