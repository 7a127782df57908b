import type { Cursor, ReplicaId } from '../../common/ids.js';
import { readUint64, writeUint64 } from '../../common/store/keys.js';
import { memberRoles, type MemberRole, type ReplicaRow } from './rows.js';

/** The values of the LMDB engine that every commit reads or writes: they are binary (docs/storage-format.md). */

const AGENT_NUMBER_BYTES = 2;
const REPLICA_BYTES = 16;

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

/** How far the replica has seen the feed, and when it said so in milliseconds since 1970 UTC, 8 bytes each. */
export function encodeReplica({ seen, heardAtMs }: ReplicaRow): Buffer {
  const value = Buffer.allocUnsafe(REPLICA_BYTES);
  writeUint64(value, seen, 0);
  writeUint64(value, heardAtMs, 8);
  return value;
}

export function decodeReplica(id: ReplicaId, value: Buffer): ReplicaRow {
  return { id, seen: readUint64(value, 0) as Cursor, heardAtMs: readUint64(value, 8) };
}
