import type { Clock } from '../../common/clock.js';
import type { AccessRight } from '../../common/identity/access-right.js';
import type { signAccessToken, TokenKey } from '../../common/identity/access-tokens.js';
import type { DeviceIdentity } from '../../common/identity/identity.js';
import type { NamespaceId } from '../../common/ids.js';
import { trustLimits } from '../../common/limits.js';
import type { TokenMetrics } from '../metrics.js';
import type { MemberRole } from '../store/rows.js';
import type { Access } from './access.js';
import type { TokenKeys } from './token-keys.js';

/** What a member may do with the blocks of a namespace. */
const RIGHTS: Readonly<Record<MemberRole, AccessRight>> = { reader: 'read', editor: 'write', owner: 'write' };

/** Makes a token of a grant. */
export type TokenSigner = typeof signAccessToken;

export interface AccessTokensParts {
  readonly access: Access;
  readonly keys: TokenKeys;
  readonly sign: TokenSigner;
  readonly clock: Clock;
  readonly metrics: TokenMetrics;
}

/** Issues the tokens by which agents know what a device may do. */
export class AccessTokens {
  constructor(readonly parts: AccessTokensParts) {}

  /** With which tokens are verified that are in force, or soon will be. */
  get keys(): readonly TokenKey[] {
    return this.parts.keys.all;
  }

  /**
   * A token that opens these namespaces to the device for `trustLimits.accessTokenMs`, as far as its account's roles go.
   * NOT_FOUND (NAMESPACE_UNKNOWN) where the account is no member of one of them, UNAUTHENTICATED (IDENTITY_REVOKED).
   */
  async issue(
    device: DeviceIdentity,
    namespaceIds: readonly NamespaceId[],
  ): Promise<{ readonly accessToken: string; readonly expiresAtMs: number }> {
    const { access, keys, sign, clock, metrics } = this.parts;
    const namespaces = new Map<NamespaceId, AccessRight>();
    for (const id of namespaceIds) namespaces.set(id, RIGHTS[(await access.membership(device, id)).role]);
    // Whole seconds, as the token says them: what the device is told must not be later.
    const issuedAtMs = Math.floor(clock.nowMs() / 1000) * 1000;
    const expiresAtMs = issuedAtMs + trustLimits.accessTokenMs;
    const { deviceId, account } = device;
    const grant = { device: deviceId, account, namespaces, issuedAtMs, expiresAtMs };
    const accessToken = await sign(grant, keys.current);
    metrics.issued('access');
    return { accessToken, expiresAtMs };
  }
}
