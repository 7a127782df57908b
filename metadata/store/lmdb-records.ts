import { ID_BYTES, type Cursor, type ReplicaId } from '../../common/ids.js';
import type { Change } from '../../common/feed/item.js';
import type { ItemHead } from '../commit/decide.js';
import { readUint64, writeUint64 } from './lmdb-keys.js';
import { memberRoles, type FeedHead, type MemberRole } from './rows.js';

/** The values of the LMDB engine that every commit reads or writes: they are binary (docs/storage-format.md). */

const FEED_HEAD_BYTES = 24;
const ITEM_HEAD_BYTES = 17;
const VERSION_ENTRY_BYTES = ID_BYTES + 8;
const AGENT_NUMBER_BYTES = 2;

/** Cursor, item count and item bytes, 8 bytes each. */
export function encodeFeedHead({ cursor, itemCount, itemBytes }: FeedHead): Buffer {
  const value = Buffer.allocUnsafe(FEED_HEAD_BYTES);
  writeUint64(value, cursor, 0);
  writeUint64(value, itemCount, 8);
  writeUint64(value, itemBytes, 16);
  return value;
}

export function decodeFeedHead(value: Buffer): FeedHead {
  return { cursor: readUint64(value, 0) as Cursor, itemCount: readUint64(value, 8), itemBytes: readUint64(value, 16) };
}

/** Cursor (8), 1 where the item is live or 0 (1), its size (8), then the version: replica (16) and counter (8), each. */
export function encodeItemHead({ cursor, live, sizeBytes, version }: ItemHead): Buffer {
  const value = Buffer.allocUnsafe(ITEM_HEAD_BYTES + version.length * VERSION_ENTRY_BYTES);
  writeUint64(value, cursor, 0);
  value.writeUInt8(live ? 1 : 0, 8);
  writeUint64(value, sizeBytes, 9);
  let offset = ITEM_HEAD_BYTES;
  for (const { replicaId, counter } of version) {
    value.write(replicaId, offset, 'hex');
    writeUint64(value, counter, offset + ID_BYTES);
    offset += VERSION_ENTRY_BYTES;
  }
  return value;
}

export function decodeItemHead(value: Buffer): ItemHead {
  const version: Change[] = [];
  for (let offset = ITEM_HEAD_BYTES; offset < value.length; offset += VERSION_ENTRY_BYTES) {
    const replicaId = value.toString('hex', offset, offset + ID_BYTES) as ReplicaId;
    version.push({ replicaId, counter: readUint64(value, offset + ID_BYTES) });
  }
  return {
    cursor: readUint64(value, 0) as Cursor,
    live: value.readUInt8(8) === 1,
    sizeBytes: readUint64(value, 9),
    version,
  };
}

/** Whether a presence record names this agent. */
export function namesAgent(record: Buffer, agentNumber: number): boolean {
  for (let offset = 0; offset < record.length; offset += AGENT_NUMBER_BYTES) {
    if (record.readUInt16BE(offset) === agentNumber) return true;
  }
  return false;
}

/** A presence record that names one agent more. */
export function withAgent(record: Buffer | undefined, agentNumber: number): Buffer {
  const length = record?.length ?? 0;
  const value = Buffer.allocUnsafe(length + AGENT_NUMBER_BYTES);
  // Only `length` of a record is right: a native copy would look at more.
  if (record !== undefined) value.set(record.subarray(0, length), 0);
  value.writeUInt16BE(agentNumber, length);
  return value;
}

/** The place of the role in {@link memberRoles}, from 1. */
export function encodeMemberRole(role: MemberRole): Buffer {
  return Buffer.of(memberRoles.indexOf(role) + 1);
}

export function decodeMemberRole(value: Buffer): MemberRole {
  const role = memberRoles[value.readUInt8(0) - 1];
  if (role === undefined) throw new Error(`a member has the role ${value.readUInt8(0)}, which there is not`);
  return role;
}
