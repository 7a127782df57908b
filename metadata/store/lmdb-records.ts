import {
  ID_BYTES,
  type AccountName,
  type AgentId,
  type Cursor,
  type DeviceId,
  type NamespaceId,
  type NamespaceName,
  type PremisesName,
  type ReplicaId,
} from '../../common/ids.js';
import type { Change } from '../../common/feed/item.js';
import type { ItemHead } from '../commit/decide.js';
import { readUint64, writeUint64 } from './lmdb-keys.js';
import type { AgentRow, DeviceRow, FeedHead, NamespaceRow } from './rows.js';

/**
 * The values of the LMDB engine (docs/storage-format.md). What every commit reads and writes is binary; the rows of the
 * directory, few and rarely changed, are JSON, which a later release can extend and a person can read.
 */

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

interface NamespaceRecord {
  readonly name: string;
  readonly replicas: number;
  readonly agents: readonly string[];
  readonly epoch: number;
  readonly createdAtMs: number;
}

export function encodeNamespace({ name, replicas, agents, epoch, createdAtMs }: NamespaceRow): Buffer {
  return encodeJson<NamespaceRecord>({ name, replicas, agents, epoch, createdAtMs });
}

export function decodeNamespace(id: NamespaceId, value: Buffer): NamespaceRow {
  const record = decodeJson<NamespaceRecord>(value);
  return { ...record, id, name: record.name as NamespaceName, agents: record.agents as readonly AgentId[] };
}

interface AgentRecord {
  readonly number: number;
  /** Base64, as that of a device. */
  readonly publicKey: string;
  readonly premises: string;
  readonly address: string;
  readonly softwareVersion: string;
}

/** An agent and the number by which presence names it. */
export interface NumberedAgent {
  readonly number: number;
  readonly agent: AgentRow;
}

export function encodeAgent({ number, agent }: NumberedAgent): Buffer {
  const { publicKey, premises, address, softwareVersion } = agent;
  return encodeJson<AgentRecord>({ number, publicKey: toBase64(publicKey), premises, address, softwareVersion });
}

export function decodeAgent(id: AgentId, value: Buffer): NumberedAgent {
  const { number, publicKey, premises, address, softwareVersion } = decodeJson<AgentRecord>(value);
  return {
    number,
    agent: { id, publicKey: fromBase64(publicKey), premises: premises as PremisesName, address, softwareVersion },
  };
}

interface DeviceRecord {
  readonly account: string;
  readonly publicKey: string;
  readonly displayName: string;
}

export function encodeDevice({ account, publicKey, displayName }: DeviceRow): Buffer {
  return encodeJson<DeviceRecord>({ account, publicKey: toBase64(publicKey), displayName });
}

export function decodeDevice(id: DeviceId, value: Buffer): DeviceRow {
  const { account, publicKey, displayName } = decodeJson<DeviceRecord>(value);
  return { id, account: account as AccountName, publicKey: fromBase64(publicKey), displayName };
}

/** An account has nothing but its name yet. */
export function encodeAccount(): Buffer {
  return encodeJson({});
}

function encodeJson<Record>(record: Record): Buffer {
  return Buffer.from(JSON.stringify(record));
}

function decodeJson<Record>(value: Buffer): Record {
  return JSON.parse(value.toString('utf8', 0, value.length)) as Record;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
