import type { EnrollmentSubject } from '../../common/identity/enrollment-token.js';
import type {
  AccountName,
  AgentId,
  Cursor,
  DeviceId,
  NamespaceId,
  NamespaceName,
  PremisesName,
  ReplicaId,
} from '../../common/ids.js';

/** What an account may do beside what its memberships say. */
export type AccountRole = 'member' | 'administrator';

/** A person or service. */
export interface AccountRow {
  readonly name: AccountName;
  readonly role: AccountRole;
  /** Milliseconds since 1970 UTC. */
  readonly createdAtMs: number;
}

/** One endpoint of an account. */
export interface DeviceRow {
  readonly id: DeviceId;
  readonly account: AccountName;
  /** For people. */
  readonly displayName: string;
  /** Milliseconds since 1970 UTC: of its first certificate. */
  readonly enrolledAtMs: number;
  /** Milliseconds since 1970 UTC; a revoked device stays one. */
  readonly revokedAtMs: number | undefined;
}

/** What a member may do in a namespace; each may what those before it may. */
export const memberRoles = ['reader', 'editor', 'owner'] as const;
export type MemberRole = (typeof memberRoles)[number];

/** An account's membership in a namespace. */
export interface MemberRow {
  readonly account: AccountName;
  readonly role: MemberRole;
}

/** A one-time token that was issued. The token itself is not kept. */
export interface EnrollmentTokenRow {
  /** Hexadecimal, 32 digits. */
  readonly id: string;
  /** SHA-256 of its secret. */
  readonly secretHash: Uint8Array;
  readonly subject: EnrollmentSubject;
  /** Milliseconds since 1970 UTC. */
  readonly expiresAtMs: number;
  /** Who redeemed it; only the same one may again, before it expires. */
  readonly redeemedBy: AgentId | DeviceId | undefined;
}

/** Whether a token is for a device of an account. */
export function isForDeviceOf({ subject }: EnrollmentTokenRow, account: AccountName): boolean {
  return subject.kind === 'device' && subject.account === account;
}

/** A key that signs access tokens. */
export interface TokenKeyRow {
  readonly id: string;
  /** Ed25519, PKCS #8, DER. */
  readonly privateKey: Uint8Array;
  /** Milliseconds since 1970 UTC. */
  readonly createdAtMs: number;
  /** When it begins to sign. */
  readonly activeFromMs: number;
}

/** The order of token keys: by the time from which they are active, then by id. */
export function byActivation(a: TokenKeyRow, b: TokenKeyRow): number {
  return a.activeFromMs - b.activeFromMs || (a.id < b.id ? -1 : 1);
}

/** Something that somebody is about to do, for the audit log. */
export interface NewAuditEntry {
  readonly atMs: number;
  /** As `describeIdentity` says it. */
  readonly actor: string;
  readonly action: AuditAction;
  /** What it was done to; never a secret. */
  readonly subject: string;
  readonly namespace: NamespaceName | undefined;
  /** The account that it was done to, where there is one: it is found by it, as by the actor's. */
  readonly account: AccountName | undefined;
  readonly facts: Readonly<Record<string, string>>;
}

/** All that the audit log can say was done; docs/security.md explains each. */
export const auditActions = [
  'account.create',
  'account.role',
  'agent.enroll',
  'agent.revoke',
  'ca.create',
  'ca.import',
  'certificate.renew',
  'commit.provisional',
  'device.enroll',
  'device.revoke',
  'namespace.assign',
  'namespace.create',
  'namespace.share',
  'namespace.unshare',
  'token-key.create',
  'token.issue',
] as const;
export type AuditAction = (typeof auditActions)[number];

/** An entry of the audit log. */
export interface AuditRow extends NewAuditEntry {
  /** From 1, dense. */
  readonly sequence: number;
}

/** A block server on premises. */
export interface AgentRow {
  readonly id: AgentId;
  /** Raw Ed25519, 32 bytes; its receipts are verified with it. */
  readonly publicKey: Uint8Array;
  readonly premises: PremisesName;
  /** Milliseconds since 1970 UTC: of its first certificate. */
  readonly enrolledAtMs: number;
  /** Milliseconds since 1970 UTC; a revoked agent stays one. */
  readonly revokedAtMs: number | undefined;
  /** HOST:PORT of its block service; empty before it has first registered. */
  readonly address: string;
  /** For people. */
  readonly softwareVersion: string;
}

/** A namespace as it is made. */
export interface NewNamespace {
  readonly id: NamespaceId;
  readonly name: NamespaceName;
  /** How many agents it asked for. */
  readonly replicas: number;
  /** The agents that hold it, each once. */
  readonly agents: readonly AgentId[];
  /** Milliseconds since 1970 UTC. */
  readonly createdAtMs: number;
}

/** A namespace and its assignment. */
export interface NamespaceRow extends NewNamespace {
  /** From 1; grows by one with every change of `agents`. */
  readonly epoch: number;
}

/** A part of an ordered list. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Whether there are rows after the last of these. */
  readonly hasMore: boolean;
}

/** A place that makes what it reads of a namespace's feed durable. */
export interface ReplicaRow {
  readonly id: ReplicaId;
  /** It has seen the feed up to here. */
  readonly seen: Cursor;
  /** Milliseconds since 1970 UTC: when it last said so. */
  readonly heardAtMs: number;
}

/** Where a feed ended at some time: what lies before is older. */
export interface FeedMark {
  readonly cursor: Cursor;
  /** Milliseconds since 1970 UTC. */
  readonly atMs: number;
}

/** What is known of a feed's past. */
export interface FeedPast {
  /** Ascending. */
  readonly marks: readonly FeedMark[];
  /** The last of the deletions that were forgotten; 0 where none was. */
  readonly forgottenThrough: Cursor;
}

/** The past of a feed that has none. */
export const NO_PAST: FeedPast = { marks: [], forgottenThrough: 0 as Cursor };
