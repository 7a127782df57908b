import { HASH_BYTES } from '../../common/block-hash.js';
import { ID_BYTES, type AccountName } from '../../common/ids.js';
import { FIRST_KEY, uint64Of, writeUint64, type KeyRange } from '../../common/store/keys.js';

/**
 * What the LMDB engine keeps where (docs/storage-format.md). Keys and values are raw bytes, integers big-endian, so that
 * the order of keys is the order of what they say. Whatever belongs to a namespace begins with its 16 bytes.
 *
 *     journal         namespace (16), cursor (8)        → item; history, never rewritten
 *     feed            namespace (16), cursor (8)        → nothing; the entries of the journal that are current
 *     paths           namespace (16), path in UTF-8     → item head
 *     presence        namespace (16), block hash (32)   → numbers of the agents that hold it, 2 bytes each
 *     heads           namespace (16)                    → feed head
 *     tombstones      namespace (16), cursor (8)        → nothing; the deletions of the feed
 *     conflicts       namespace (16), cursor (8)        → nothing; the items of the feed with open conflicts
 *     replicas        namespace (16), replica (16)      → how far it has seen the feed (8), when it said so in ms (8)
 *     pasts           namespace (16)                    → what is known of the feed's past
 *     histories       namespace (16), cursor (8)        → history (8) of the entries from there on
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
  'tombstones',
  'conflicts',
  'replicas',
  'pasts',
  'histories',
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

const TIME_BYTES = 8;

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
