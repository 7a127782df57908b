import type { Clock } from '../clock.js';
import { DrystoneError, overloaded } from '../errors.js';
import { describeIdentity, type AgentIdentity, type DeviceIdentity } from '../identity/identity.js';
import { loadLimits } from '../limits.js';
import { addressGroup } from './address-group.js';
import type { Anonymous, Audience, Caller } from './caller.js';
import { TokenBuckets, type BucketSize } from './token-buckets.js';

export interface CallGateOptions {
  readonly clock: Clock;
  /** Whether an identity has been taken away; asked at every call. None has where it is left out. */
  readonly isRevoked?: (caller: AgentIdentity | DeviceIdentity) => Promise<boolean> | boolean;
  /** {@link loadLimits}, unless a test wants to meet them sooner. */
  readonly limits?: CallLimits;
}

/** The limits that apply to calls. */
export type CallLimits = Readonly<
  Record<
    | 'callsPerSecond'
    | 'callBurst'
    | 'anonymousCallsPerSecond'
    | 'anonymousCallBurst'
    | 'openCallsPerIdentity'
    | 'openCallsRetryMs'
    | 'ratesRemembered',
    number
  >
>;

/** A call before anything of it but its headers was read. */
export interface GatedCall {
  readonly caller: Caller;
  readonly audience: Audience;
  /** The IP address from which it comes. */
  readonly address: string;
}

/** Decides which calls a server answers: those of its audience, of identities that still count, and not too many. */
export class CallGate {
  readonly #buckets: TokenBuckets;
  readonly #open = new Map<string, number>();
  readonly #limits: CallLimits;

  constructor(private readonly options: CallGateOptions) {
    this.#limits = options.limits ?? loadLimits;
    this.#buckets = new TokenBuckets(this.#limits.ratesRemembered);
  }

  /**
   * Lets a call in; call the result when it has ended. Else raises UNAUTHENTICATED (CERTIFICATE_MISSING,
   * CERTIFICATE_INVALID, CERTIFICATE_EXPIRED, IDENTITY_REVOKED), PERMISSION_DENIED (ROLE_INSUFFICIENT) or, with a delay,
   * RESOURCE_EXHAUSTED (RATE_LIMITED, OVERLOADED).
   */
  async admit({ caller, audience, address }: GatedCall): Promise<() => void> {
    checkAudience(caller, audience);
    const key = caller.kind === 'anonymous' ? addressGroup(address) : describeIdentity(caller);
    this.#takeToken(key, caller);
    const leave = this.#enter(key, caller);
    try {
      await this.#checkRevocation(caller);
    } catch (thrown) {
      leave();
      throw thrown;
    }
    return leave;
  }

  #takeToken(key: string, caller: Caller): void {
    const waitMs = this.#buckets.take(key, this.#rateOf(caller), this.options.clock.monotonicMs());
    if (waitMs === 0) return;
    const message = `${describeCaller(caller)} makes too many calls; try again in ${waitMs} ms`;
    throw new DrystoneError('RESOURCE_EXHAUSTED', 'RATE_LIMITED', message, { retryAfterMs: waitMs });
  }

  #rateOf(caller: Caller): BucketSize {
    const limits = this.#limits;
    return caller.kind === 'anonymous'
      ? { perSecond: limits.anonymousCallsPerSecond, burst: limits.anonymousCallBurst }
      : { perSecond: limits.callsPerSecond, burst: limits.callBurst };
  }

  #enter(key: string, caller: Caller): () => void {
    const open = this.#open.get(key) ?? 0;
    if (open >= this.#limits.openCallsPerIdentity) {
      throw overloaded(
        `${describeCaller(caller)} has ${open} calls open, which is the most`,
        this.#limits.openCallsRetryMs,
      );
    }
    this.#open.set(key, open + 1);
    let entered = true;
    return () => {
      if (!entered) return;
      entered = false;
      const others = (this.#open.get(key) ?? 1) - 1;
      if (others > 0) this.#open.set(key, others);
      else this.#open.delete(key);
    };
  }

  async #checkRevocation(caller: Caller): Promise<void> {
    if (caller.kind !== 'agent' && caller.kind !== 'device') return;
    if (!(await this.options.isRevoked?.(caller))) return;
    const advice = 'ask an administrator of the fleet for a new one-time token, and join with a new key';
    throw new DrystoneError(
      'UNAUTHENTICATED',
      'IDENTITY_REVOKED',
      `${describeIdentity(caller)} has been revoked; ${advice}`,
    );
  }
}

function checkAudience(caller: Caller, audience: Audience): void {
  if (audience === 'anyone') return;
  if (caller.kind === 'anonymous') throw notIdentified(caller);
  if (audience.split(' or ').includes(caller.kind)) return;
  const message = `this is for ${NEEDED[audience]}, and ${describeIdentity(caller)} is none`;
  throw new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', message);
}

const NEEDED: Readonly<Record<Exclude<Audience, 'anyone'>, string>> = {
  agent: 'agents',
  device: 'devices; log in with `drystone login`',
  'agent or device': 'agents and devices',
};

const JOIN = 'log in with `drystone login`, or start the agent with a one-time token';

function notIdentified({ because }: Anonymous): DrystoneError {
  switch (because) {
    case 'no certificate':
      return new DrystoneError('UNAUTHENTICATED', 'CERTIFICATE_MISSING', `this needs a certificate; ${JOIN}`);
    case 'expired':
      return new DrystoneError(
        'UNAUTHENTICATED',
        'CERTIFICATE_EXPIRED',
        `the certificate of the caller has ended; ${JOIN}`,
      );
    case 'untrusted':
    case 'nameless':
      return new DrystoneError(
        'UNAUTHENTICATED',
        'CERTIFICATE_INVALID',
        `the certificate of the caller is none of this fleet; ${JOIN} of this fleet`,
      );
  }
}

function describeCaller(caller: Caller): string {
  return caller.kind === 'anonymous' ? 'this address' : describeIdentity(caller);
}
