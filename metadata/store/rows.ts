import type {
  AccountName,
  AgentId,
  Cursor,
  DeviceId,
  NamespaceId,
  NamespaceName,
  PremisesName,
} from '../../common/ids.js';

/** One endpoint of an account. */
export interface DeviceRow {
  readonly id: DeviceId;
  readonly account: AccountName;
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** For people. */
  readonly displayName: string;
}

/** A block server on premises, as it registered. */
export interface AgentRow {
  readonly id: AgentId;
  /** Raw Ed25519, 32 bytes; its receipts are verified with it. */
  readonly publicKey: Uint8Array;
  readonly premises: PremisesName;
  /** HOST:PORT of its block service. */
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

/** Where a feed ends, and what lies in it. */
export interface FeedHead {
  /** The last cursor handed out. */
  readonly cursor: Cursor;
  /** Items that are not deletions. */
  readonly itemCount: number;
  /** The sum of their sizes in bytes. */
  readonly itemBytes: number;
}

/** The end of the feed of a namespace in which nothing has been committed. */
export const EMPTY_FEED: FeedHead = { cursor: 0 as Cursor, itemCount: 0, itemBytes: 0 };

/** A part of an ordered list. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Whether there are rows after the last of these. */
  readonly hasMore: boolean;
}
