import { createPrivateKey, type KeyObject } from 'node:crypto';
import { hashBlockSync } from '../../../common/block-hash.js';
import { encodeItem } from '../../../common/feed/item-codec.js';
import {
  NO_BLOCKS,
  type Item,
  type ItemContent,
  type ItemPath,
  type ItemState,
  type Version,
} from '../../../common/feed/item.js';
import { itemOf } from '../../../common/feed/merge.js';
import type { NewItem } from '../../../common/feed/push-items.js';
import { compareStates } from '../../../common/feed/state-order.js';
import type { EnrollmentSubject } from '../../../common/identity/enrollment-token.js';
import {
  idOfPublicKey,
  type AccountName,
  type AgentId,
  type Cursor,
  type DeviceId,
  type NamespaceId,
  type NamespaceName,
  type PremisesName,
  type ReplicaId,
} from '../../../common/ids.js';
import { rawPublicKey, signReceipt, type Receipt } from '../../../common/receipt.js';
import type {
  AgentRow,
  AuditAction,
  EnrollmentTokenRow,
  NewAuditEntry,
  NewNamespace,
} from '../../../metadata/store/rows.js';

/** The DER prefix of an Ed25519 private key in PKCS #8 (RFC 8410); the 32 bytes of the seed follow it. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** When everything here was done, in milliseconds since 1970 UTC. */
export const SAMPLE_TIME_MS = 1_700_000_000_000;

/** An agent with its key. */
export interface SampleAgent {
  readonly id: AgentId;
  readonly privateKey: KeyObject;
  /** As it is known once it has joined and registered. */
  readonly row: AgentRow;
}

/** The same agent for the same name. */
export function sampleAgent(name: string, premises = 'lisbon'): SampleAgent {
  const key = Buffer.concat([PKCS8_PREFIX, hashBlockSync(Buffer.from(`agent ${name}`))]);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  const publicKey = rawPublicKey(privateKey);
  const id = idOfPublicKey<AgentId>(publicKey);
  const address = `${name}.example:7411`;
  const row: AgentRow = {
    id,
    publicKey,
    premises: premises as PremisesName,
    enrolledAtMs: SAMPLE_TIME_MS,
    revokedAtMs: undefined,
    address,
    softwareVersion: '1.0',
  };
  return { id, privateKey, row };
}

/** A one-time token that can be redeemed for an hour. The same for the same name. */
export function sampleToken(name: string, subject: EnrollmentSubject): EnrollmentTokenRow {
  return {
    id: hashBlockSync(Buffer.from(`token ${name}`)).toString('hex', 0, 16),
    secretHash: hashBlockSync(Buffer.from(`secret ${name}`)),
    subject,
    expiresAtMs: SAMPLE_TIME_MS + 3_600_000,
    redeemedBy: undefined,
  };
}

/** What the audit log is told; the subject is enough to know it again. */
export function auditEntry(action: AuditAction, subject: string, parts: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return {
    atMs: SAMPLE_TIME_MS,
    actor: 'metadata',
    action,
    subject,
    namespace: undefined,
    account: undefined,
    facts: {},
    ...parts,
  };
}

export const accountNamed = (name: string): AccountName => name as AccountName;

/** The agent's word that it has stored blocks. */
export function receiptOf(
  agent: SampleAgent,
  namespaceId: NamespaceId,
  hashes: Uint8Array,
  issuedAtMs: number,
): Receipt {
  return signReceipt({ agentId: agent.id, namespaceId, issuedAtMs, hashes }, agent.privateKey);
}

export function namespaceIdNamed(name: string): NamespaceId {
  return hashBlockSync(Buffer.from(`namespace ${name}`)).toString('hex', 0, 16) as NamespaceId;
}

export function sampleNamespace(name: string, ...agents: readonly SampleAgent[]): NewNamespace {
  return {
    id: namespaceIdNamed(name),
    name: name as NamespaceName,
    replicas: agents.length,
    agents: agents.map(({ id }) => id),
    createdAtMs: SAMPLE_TIME_MS,
  };
}

export function deviceNamed(name: string): DeviceId {
  return hashBlockSync(Buffer.from(`device ${name}`)).toString('hex', 0, 16) as DeviceId;
}

/** The hash of a block that need not exist. */
export function hashNamed(name: string): Buffer {
  return hashBlockSync(Buffer.from(`block ${name}`));
}

/** Packed hashes of blocks that need not exist. */
export function hashesNamed(...names: readonly string[]): Buffer {
  return Buffer.concat(names.map(hashNamed));
}

/** The folder of the device of that name. */
export function replicaNamed(name: string): ReplicaId {
  return hashBlockSync(Buffer.from(`replica ${name}`)).toString('hex', 0, 16) as ReplicaId;
}

/** A version in which the folder of each device has changed the item so often. */
function versionOf(counters: Readonly<Record<string, number>>): Version {
  return Object.entries(counters)
    .map(([name, counter]) => ({ replicaId: replicaNamed(name), counter }))
    .sort((a, b) => (a.replicaId < b.replicaId ? -1 : 1));
}

/** A file of one block of 10 bytes for each name given; the names stand for the content. */
export function fileOf(...blocks: readonly string[]): ItemContent {
  return {
    kind: 'file',
    sizeBytes: blocks.length * 10,
    modifiedAtMs: SAMPLE_TIME_MS,
    executable: false,
    blocks: blocks.length === 0 ? NO_BLOCKS : { hashes: hashesNamed(...blocks), sizes: blocks.map(() => 10) },
  };
}

/** An item that ana has made, in the last of the folders named, a second later for each of its changes there. */
export function itemAt(
  path: string,
  counters: Readonly<Record<string, number>> = { ana: 1 },
  content: ItemContent = { kind: 'directory' },
): Item {
  const [name, counter] = Object.entries(counters).at(-1) ?? ['ana', 1];
  return itemOf(path as ItemPath, versionOf(counters), [stateOf(name, counter, content, 'ana')]);
}

/** An item of several states, each its device's first change; the later in the list, the later it was made. */
export function contestedAt(
  path: string,
  ...contents: readonly (readonly [name: string, content: ItemContent])[]
): Item {
  const states = contents.map(([name, content], index) => ({ ...stateOf(name, 1, content), at: timeOf(1 + index) }));
  const counters = Object.fromEntries(contents.map(([name]) => [name, 1]));
  return itemOf(path as ItemPath, versionOf(counters), states.sort(compareStates));
}

function stateOf(name: string, counter: number, content: ItemContent, author = name): ItemState {
  const change = { replicaId: replicaNamed(name), counter };
  return { change, at: timeOf(counter), author: deviceNamed(author), content };
}

function timeOf(seconds: number): ItemState['at'] {
  return { wallMs: 1_700_000_000_000 + seconds * 1000, logical: 0 };
}

export function newItem(item: Item): NewItem {
  return { item, encoded: encodeItem(item) };
}

export const cursor = (value: number): Cursor => value as Cursor;
