import type { Clock } from '../common/clock.js';
import { DrystoneError, toDrystoneError } from '../common/errors.js';
import { includesRight, type AccessGrant, type AccessRight } from '../common/identity/access-right.js';
import { judgedNow, type TokenTime } from '../common/identity/offline-grace.js';
import type { AccountName, DeviceId, NamespaceId } from '../common/ids.js';
import { trustLimits } from '../common/limits.js';
import type { CallContext } from '../common/rpc/method-types.js';
import type { BlockMetrics } from './block-metrics.js';

/** Decides who may do what on a block server. */
export interface BlockAccess {
  /**
   * What one who opens a stream may do in it. UNAUTHENTICATED: CERTIFICATE_MISSING where the caller is no device,
   * TOKEN_MISSING, TOKEN_INVALID (forged, of a key that is not known here, or another device's), TOKEN_EXPIRED.
   * UNAVAILABLE (IDENTITY_REVOKED) where this server no longer belongs to the fleet.
   */
  check(call: Pick<CallContext, 'caller' | 'accessToken'>): Promise<StreamAccess>;
}

/** What the holder of a stream may do, from moment to moment: tokens end and assignments change while it is open. */
export interface StreamAccess {
  readonly account: AccountName;
  readonly device: DeviceId;
  /**
   * To be asked for every message of the stream, in either direction. NOT_FOUND (NAMESPACE_NOT_ASSIGNED), the same in
   * every word, for a namespace that the token does not name, that is not assigned to this server, or that does not exist;
   * PERMISSION_DENIED (ROLE_INSUFFICIENT) where the token's right is too small; UNAUTHENTICATED (TOKEN_EXPIRED);
   * UNAVAILABLE (IDENTITY_REVOKED).
   */
  require(namespaceId: NamespaceId, right: AccessRight): void;
  /**
   * Calls `listener` with UNAUTHENTICATED (TOKEN_EXPIRED) when the token ends, unless the function that is returned has
   * been called: nobody keeps a stream open by saying nothing.
   */
  whenExpired(listener: (error: DrystoneError) => void): () => void;
}

/** What a grant is held against from moment to moment. */
export interface GrantOptions {
  /** Whether this server holds the namespace now. */
  readonly isAssigned: (namespaceId: NamespaceId) => boolean;
  /** Whether the fleet has taken this server's identity away. */
  readonly isRevoked: () => boolean;
  readonly clock: Clock;
  /** As of when tokens are judged; now, unless this server may be cut off from metadata. */
  readonly time?: TokenTime;
}

export interface TokenAccessOptions extends GrantOptions {
  /** Reads an access token; UNAUTHENTICATED (TOKEN_INVALID, TOKEN_EXPIRED) where it proves nothing. */
  readonly verifier: { verify(token: string): Promise<AccessGrant> };
  readonly metrics: Pick<BlockMetrics, 'tokenVerifications'>;
}

/** Access by token: what metadata has signed is believed, of the device alone to which it was given. */
export function tokenAccess(options: TokenAccessOptions): BlockAccess {
  return {
    async check(call) {
      if (options.isRevoked()) throw revoked();
      return new GrantedAccess(await grantOf(call, options), options);
    },
  };
}

/** What the holder of a grant may do, which was verified before. */
export function grantedAccess(grant: AccessGrant, options: GrantOptions): StreamAccess {
  return new GrantedAccess(grant, options);
}

async function grantOf(
  { caller, accessToken }: Pick<CallContext, 'caller' | 'accessToken'>,
  { verifier, metrics }: TokenAccessOptions,
): Promise<AccessGrant> {
  if (caller.kind !== 'device') {
    const message = 'blocks are for devices; call with the certificate of one, as `drystone login` gets it';
    throw new DrystoneError('UNAUTHENTICATED', 'CERTIFICATE_MISSING', message);
  }
  if (accessToken === undefined) {
    metrics.tokenVerifications.inc({ result: 'missing' });
    const message = 'the call carries no access token; ask the metadata service for one and send it along';
    throw new DrystoneError('UNAUTHENTICATED', 'TOKEN_MISSING', message);
  }
  const grant = await verifier.verify(accessToken).catch((thrown: unknown) => {
    const error = toDrystoneError(thrown);
    metrics.tokenVerifications.inc({ result: error.reason === 'TOKEN_EXPIRED' ? 'expired' : 'invalid' });
    throw error;
  });
  if (grant.device !== caller.deviceId || grant.account !== caller.account) {
    metrics.tokenVerifications.inc({ result: 'foreign' });
    const message = 'the access token was not issued to the device that sends it; each device asks for its own';
    throw new DrystoneError('UNAUTHENTICATED', 'TOKEN_INVALID', message);
  }
  metrics.tokenVerifications.inc({ result: 'ok' });
  return grant;
}

class GrantedAccess implements StreamAccess {
  readonly #time: TokenTime;

  constructor(
    private readonly grant: AccessGrant,
    private readonly options: GrantOptions,
  ) {
    this.#time = options.time ?? judgedNow(options.clock);
  }

  get account(): AccountName {
    return this.grant.account;
  }

  get device(): DeviceId {
    return this.grant.device;
  }

  require(namespaceId: NamespaceId, right: AccessRight): void {
    if (this.options.isRevoked()) throw revoked();
    if (!this.#isValid()) throw tokenExpired();
    const held = this.grant.namespaces.get(namespaceId);
    if (held === undefined || !this.options.isAssigned(namespaceId)) throw notAssigned(namespaceId);
    if (!includesRight(held, right)) throw roleInsufficient(namespaceId, right);
  }

  whenExpired(listener: (error: DrystoneError) => void): () => void {
    const watch = new AbortController();
    this.#untilOver(watch.signal).then(
      () => listener(tokenExpired()),
      () => undefined,
    );
    return () => watch.abort();
  }

  /** Rejects when `signal` aborts. */
  async #untilOver(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    await clock.sleep(Math.max(0, this.#endsAtMs - clock.nowMs()), signal);
    while (this.#isValid()) await clock.sleep(trustLimits.offlineCheckMs, signal);
  }

  #isValid(): boolean {
    const { judgedAtMs } = this.#time;
    return judgedAtMs !== undefined && judgedAtMs < this.#endsAtMs;
  }

  /** By a clock that may differ from that of the token's issuer. */
  get #endsAtMs(): number {
    return this.grant.expiresAtMs + trustLimits.accessTokenSkewMs;
  }
}

function revoked(): DrystoneError {
  const message = 'this block server has been taken out of the fleet; ask the metadata service for another';
  return new DrystoneError('UNAVAILABLE', 'IDENTITY_REVOKED', message);
}

function tokenExpired(): DrystoneError {
  const message = 'the access token has ended while the stream was open; go on in another stream with a new one';
  return new DrystoneError('UNAUTHENTICATED', 'TOKEN_EXPIRED', message);
}

function notAssigned(namespaceId: NamespaceId): DrystoneError {
  const message =
    `this server does not hold namespace ${namespaceId} for you; ` +
    'ask the metadata service who does, and for an access token that names it';
  return new DrystoneError('NOT_FOUND', 'NAMESPACE_NOT_ASSIGNED', message);
}

function roleInsufficient(namespaceId: NamespaceId, right: AccessRight): DrystoneError {
  const message = `the access token gives no right to ${right} blocks of namespace ${namespaceId}; ask its owner to make you an editor`;
  return new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', message);
}
