import { createHash } from 'node:crypto';
import { invalidArgument } from './errors.js';
import { wireLimits } from './limits.js';

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** The root of a shared folder: 32 lower-case hexadecimal digits, random. */
export type NamespaceId = Branded<string, 'NamespaceId'>;
/** A block server on premises: {@link idOfPublicKey} of the key with which it signs receipts. */
export type AgentId = Branded<string, 'AgentId'>;
/** One endpoint of an account: {@link idOfPublicKey} of its key. */
export type DeviceId = Branded<string, 'DeviceId'>;
/**
 * One place that makes changes of a namespace, such as a synced folder: 32 lower-case hexadecimal digits. A device with two
 * folders of a namespace has two.
 */
export type ReplicaId = Branded<string, 'ReplicaId'>;
/** The name of an account. */
export type AccountName = Branded<string, 'AccountName'>;
/** The name by which people call a namespace. */
export type NamespaceName = Branded<string, 'NamespaceName'>;
/** The name of a site. */
export type PremisesName = Branded<string, 'PremisesName'>;
/** A position in the feed of one endpoint: a whole number from 0, dense and growing per namespace. */
export type Cursor = Branded<number, 'Cursor'>;

const ID_PATTERN = /^[0-9a-f]{32}$/;
const NAME_PATTERN = /^[a-z0-9][a-z0-9._-]*$/;

/** Bytes of an id where it is part of a key. */
export const ID_BYTES = 16;

function parseId(field: string, value: string): string {
  if (!ID_PATTERN.test(value)) {
    throw invalidArgument(field, `must be 32 lower-case hexadecimal digits, not ${JSON.stringify(value.slice(0, 80))}`);
  }
  return value;
}

function parseName(field: string, value: string): string {
  if (value.length > wireLimits.nameLength || !NAME_PATTERN.test(value)) {
    throw invalidArgument(
      field,
      `must be 1 to ${wireLimits.nameLength} characters of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, ` +
        `not ${JSON.stringify(value.slice(0, 80))}`,
    );
  }
  return value;
}

/** Each `parse…` returns its argument with its type, or throws INVALID_ARGUMENT that names `field`. */
export const parseNamespaceId = (field: string, value: string): NamespaceId => parseId(field, value) as NamespaceId;
export const parseAgentId = (field: string, value: string): AgentId => parseId(field, value) as AgentId;
export const parseDeviceId = (field: string, value: string): DeviceId => parseId(field, value) as DeviceId;
export const parseReplicaId = (field: string, value: string): ReplicaId => parseId(field, value) as ReplicaId;
export const parseAccountName = (field: string, value: string): AccountName => parseName(field, value) as AccountName;
export const parseNamespaceName = (field: string, value: string): NamespaceName =>
  parseName(field, value) as NamespaceName;
export const parsePremisesName = (field: string, value: string): PremisesName =>
  parseName(field, value) as PremisesName;

/** A cursor off the wire; INVALID_ARGUMENT where it is beyond what a number holds exactly. */
export function parseCursor(field: string, value: bigint): Cursor {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalidArgument(field, 'must be between 0 and 2^53 - 1');
  }
  return Number(value) as Cursor;
}

/** Before the first entry of any feed. */
export const CURSOR_START = 0 as Cursor;

/** The 16 bytes of an id, for keys. */
export function idBytes(id: NamespaceId | AgentId | DeviceId | ReplicaId): Buffer {
  return Buffer.from(id, 'hex');
}

/** A new namespace id from 16 random bytes. */
export function namespaceIdOf(random: Uint8Array): NamespaceId {
  return Buffer.from(random).toString('hex') as NamespaceId;
}

/**
 * The id of the holder of an Ed25519 key: the first 16 bytes of the SHA-256 of the raw 32-byte public key, in
 * hexadecimal. To be taken for another holder one would need a second preimage over 128 bits.
 */
export function idOfPublicKey<Id extends AgentId | DeviceId>(publicKey: Uint8Array): Id {
  return createHash('sha256').update(publicKey).digest().subarray(0, ID_BYTES).toString('hex') as Id;
}

/**
 * The id of a replica that follows from what makes it the only one: the first 16 bytes of the SHA-256 of `what` and
 * `parts`, each with the length of its UTF-8 before it, so that no two lists of parts read the same.
 */
export function replicaIdOf(what: string, ...parts: readonly string[]): ReplicaId {
  const hash = createHash('sha256');
  for (const part of [what, ...parts]) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest().subarray(0, ID_BYTES).toString('hex') as ReplicaId;
}
