import type { AccountName, DeviceId, NamespaceId } from '../ids.js';

/** What a device may do with the blocks of a namespace: `write` includes `read`. */
export type AccessRight = 'read' | 'write';

/** What an access token says (docs/protocol.md, section 11). */
export interface AccessGrant {
  readonly device: DeviceId;
  readonly account: AccountName;
  readonly namespaces: ReadonlyMap<NamespaceId, AccessRight>;
  /** Milliseconds since 1970 UTC, by metadata's clock. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Whether one who holds `held` may do what needs `needed`. */
export function includesRight(held: AccessRight | undefined, needed: AccessRight): boolean {
  return held === 'write' || held === needed;
}
