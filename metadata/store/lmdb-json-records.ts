import type { EnrollmentSubject } from '../../common/identity/enrollment-token.js';
import type {
  AccountName,
  AgentId,
  Cursor,
  DeviceId,
  NamespaceId,
  NamespaceName,
  PremisesName,
} from '../../common/ids.js';
import type {
  AccountRole,
  AccountRow,
  AgentRow,
  AuditAction,
  AuditRow,
  DeviceRow,
  EnrollmentTokenRow,
  FeedPast,
  NamespaceRow,
  NewAuditEntry,
  TokenKeyRow,
} from './rows.js';

/**
 * The values of the LMDB engine that are few or rarely change: they are JSON, which a later release can extend and a
 * person can read (docs/storage-format.md). What their keys say they do not repeat; bytes are in base64, and what is
 * undefined is left out.
 */

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
  readonly publicKey: string;
  readonly premises: string;
  readonly enrolledAtMs: number;
  readonly revokedAtMs?: number | undefined;
  readonly address: string;
  readonly softwareVersion: string;
}

/** An agent and the number by which presence names it. */
export interface NumberedAgent {
  readonly number: number;
  readonly agent: AgentRow;
}

export function encodeAgent({ number, agent }: NumberedAgent): Buffer {
  const { publicKey, premises, enrolledAtMs, revokedAtMs, address, softwareVersion } = agent;
  return encodeJson<AgentRecord>({
    number,
    publicKey: toBase64(publicKey),
    premises,
    enrolledAtMs,
    revokedAtMs,
    address,
    softwareVersion,
  });
}

export function decodeAgent(id: AgentId, value: Buffer): NumberedAgent {
  const { number, publicKey, premises, revokedAtMs, ...rest } = decodeJson<AgentRecord>(value);
  const agent = { ...rest, id, publicKey: fromBase64(publicKey), premises: premises as PremisesName, revokedAtMs };
  return { number, agent };
}

interface AccountRecord {
  readonly role: AccountRole;
  readonly createdAtMs: number;
}

export function encodeAccount({ role, createdAtMs }: AccountRow): Buffer {
  return encodeJson<AccountRecord>({ role, createdAtMs });
}

export function decodeAccount(name: AccountName, value: Buffer): AccountRow {
  return { name, ...decodeJson<AccountRecord>(value) };
}

interface DeviceRecord {
  readonly account: string;
  readonly displayName: string;
  readonly enrolledAtMs: number;
  readonly revokedAtMs?: number | undefined;
}

export function encodeDevice({ account, displayName, enrolledAtMs, revokedAtMs }: DeviceRow): Buffer {
  return encodeJson<DeviceRecord>({ account, displayName, enrolledAtMs, revokedAtMs });
}

export function decodeDevice(id: DeviceId, value: Buffer): DeviceRow {
  const { account, revokedAtMs, ...rest } = decodeJson<DeviceRecord>(value);
  return { ...rest, id, account: account as AccountName, revokedAtMs };
}

interface TokenRecord {
  readonly secretHash: string;
  readonly subject: EnrollmentSubject;
  readonly expiresAtMs: number;
  readonly redeemedBy?: AgentId | DeviceId | undefined;
}

export function encodeToken({ secretHash, subject, expiresAtMs, redeemedBy }: EnrollmentTokenRow): Buffer {
  return encodeJson<TokenRecord>({ secretHash: toBase64(secretHash), subject, expiresAtMs, redeemedBy });
}

export function decodeToken(id: string, value: Buffer): EnrollmentTokenRow {
  const { secretHash, subject, expiresAtMs, redeemedBy } = decodeJson<TokenRecord>(value);
  return { id, secretHash: fromBase64(secretHash), subject, expiresAtMs, redeemedBy };
}

interface TokenKeyRecord {
  readonly privateKey: string;
  readonly createdAtMs: number;
  readonly activeFromMs: number;
}

export function encodeTokenKey({ privateKey, createdAtMs, activeFromMs }: TokenKeyRow): Buffer {
  return encodeJson<TokenKeyRecord>({ privateKey: toBase64(privateKey), createdAtMs, activeFromMs });
}

export function decodeTokenKey(id: string, value: Buffer): TokenKeyRow {
  const { privateKey, createdAtMs, activeFromMs } = decodeJson<TokenKeyRecord>(value);
  return { id, privateKey: fromBase64(privateKey), createdAtMs, activeFromMs };
}

interface AuditRecord {
  readonly atMs: number;
  readonly actor: string;
  readonly action: AuditAction;
  readonly subject: string;
  readonly namespace?: NamespaceName | undefined;
  readonly account?: AccountName | undefined;
  readonly facts: Readonly<Record<string, string>>;
}

export function encodeAuditEntry(entry: NewAuditEntry): Buffer {
  const { atMs, actor, action, subject, namespace, account, facts } = entry;
  return encodeJson<AuditRecord>({ atMs, actor, action, subject, namespace, account, facts });
}

export function decodeAuditEntry(sequence: number, value: Buffer): AuditRow {
  const { namespace, account, ...rest } = decodeJson<AuditRecord>(value);
  return { ...rest, sequence, namespace, account };
}

interface PastRecord {
  /** Cursor and time of each mark. */
  readonly marks: readonly (readonly [number, number])[];
  readonly forgottenThrough: number;
}

export function encodeFeedPast({ marks, forgottenThrough }: FeedPast): Buffer {
  return encodeJson<PastRecord>({ marks: marks.map(({ cursor, atMs }) => [cursor, atMs]), forgottenThrough });
}

export function decodeFeedPast(value: Buffer): FeedPast {
  const { marks, forgottenThrough } = decodeJson<PastRecord>(value);
  return {
    marks: marks.map(([cursor, atMs]) => ({ cursor: cursor as Cursor, atMs })),
    forgottenThrough: forgottenThrough as Cursor,
  };
}

/** Whether names of accounts and namespaces may stand in a record: JSON leaves them as they are, so a no is certain. */
export function mentions(value: Buffer, names: readonly string[]): boolean {
  if (names.length === 0) return true;
  const text = value.toString('latin1', 0, value.length);
  return names.every((name) => text.includes(name));
}

function encodeJson<Record>(record: Record): Buffer {
  return Buffer.from(JSON.stringify(record));
}

/** Only `length` of a value is right: all of it is read at once. */
function decodeJson<Record>(value: Buffer): Record {
  return JSON.parse(value.toString('utf8', 0, value.length)) as Record;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
