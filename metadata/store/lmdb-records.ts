import { memberRoles, type MemberRole } from './rows.js';

/** The values of the LMDB engine that every commit reads or writes: they are binary (docs/storage-format.md). */

const AGENT_NUMBER_BYTES = 2;

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
