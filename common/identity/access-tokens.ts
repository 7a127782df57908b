import type { KeyObject } from 'node:crypto';
import type { JWTHeaderParameters, JWTPayload } from 'jose';
import { decodeJwt } from 'jose/jwt/decode';
import { JWTExpired } from 'jose/errors';
import { SignJWT } from 'jose/jwt/sign';
import { jwtVerify } from 'jose/jwt/verify';
import type { Clock } from '../clock.js';
import { DrystoneError, invalidArgument } from '../errors.js';
import { parseAccountName, parseDeviceId, parseNamespaceId, type NamespaceId } from '../ids.js';
import { trustLimits } from '../limits.js';
import { publicKeyOfRaw } from '../receipt.js';
import type { AccessGrant, AccessRight } from './access-right.js';
import { judgedNow, type TokenTime } from './offline-grace.js';

/** A key with which metadata signs access tokens, as its verifiers know it. */
export interface TokenKey {
  readonly id: string;
  /** Ed25519, raw, 32 bytes. */
  readonly publicKey: Uint8Array;
}

const ALGORITHM = 'EdDSA';
const TYPE = 'at+jwt';
const ISSUER = 'drystone';
const AUDIENCE = 'blocks';
const RIGHTS: Readonly<Record<AccessRight, string>> = { read: 'r', write: 'w' };

/** Signs a grant with an Ed25519 key as an access token. Its times are kept in whole seconds, rounded down. */
export async function signAccessToken(grant: AccessGrant, key: { id: string; privateKey: KeyObject }): Promise<string> {
  const namespaces = Object.fromEntries([...grant.namespaces].map(([id, right]) => [id, RIGHTS[right]]));
  return new SignJWT({ acct: grant.account, ns: namespaces })
    .setProtectedHeader({ alg: ALGORITHM, kid: key.id, typ: TYPE })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(grant.device)
    .setIssuedAt(Math.floor(grant.issuedAtMs / 1000))
    .setExpirationTime(Math.floor(grant.expiresAtMs / 1000))
    .sign(key.privateKey);
}

/** Verifies access tokens with the keys that it is told; see {@link AccessTokenVerifier}. */
export type TokenVerifier = Pick<AccessTokenVerifier, 'replaceKeys' | 'verify'>;

/** Verifies access tokens offline, with the keys that it has been told. */
export class AccessTokenVerifier {
  #keys: ReadonlyMap<string, KeyObject> = new Map();

  /** @param time as of when tokens are judged; now, unless one may be cut off from metadata. */
  constructor(
    private readonly clock: Clock,
    private readonly time: TokenTime = judgedNow(clock),
  ) {}

  /**
   * From now on only tokens signed with one of `keys` count. INVALID_ARGUMENT where they are more than
   * `trustLimits.tokenKeys` or one is no Ed25519 key; then those before it stay in force.
   */
  replaceKeys(keys: readonly TokenKey[]): void {
    if (keys.length > trustLimits.tokenKeys) {
      throw invalidArgument('token_keys', `must be at most ${trustLimits.tokenKeys}, not ${keys.length}`);
    }
    const next = keys.map(({ id, publicKey }, index): [string, KeyObject] => {
      if (publicKey.length !== 32) throw invalidArgument(`token_keys[${index}].public_key`, 'must be 32 bytes');
      return [id, publicKeyOfRaw(publicKey)];
    });
    this.#keys = new Map(next);
  }

  /**
   * What a token grants. UNAUTHENTICATED: TOKEN_EXPIRED where its time is over by more than
   * `trustLimits.accessTokenSkewMs`; TOKEN_INVALID where metadata has not signed it, not for this, or not by its rules, or
   * where no token counts any more.
   */
  async verify(token: string): Promise<AccessGrant> {
    if (token.length > trustLimits.accessTokenLength) throw invalidToken('it is too long');
    const skewMs = trustLimits.accessTokenSkewMs;
    const { judgedAtMs } = this.time;
    if (judgedAtMs === undefined)
      throw invalidToken('metadata has not been heard here for too long to believe anybody');
    try {
      const { payload } = await jwtVerify(token, (header) => this.#keyOf(header), {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'iat', 'exp', 'acct', 'ns'],
        currentDate: new Date(judgedAtMs),
        clockTolerance: skewMs / 1000,
      });
      const grant = grantOf(payload);
      this.#checkTimes(grant);
      return grant;
    } catch (thrown) {
      if (thrown instanceof JWTExpired) throw expiredToken();
      if (thrown instanceof DrystoneError && thrown.code === 'UNAUTHENTICATED') throw thrown;
      throw invalidToken('it is malformed, or not signed by metadata', thrown);
    }
  }

  #keyOf({ kid }: JWTHeaderParameters): KeyObject {
    const key = kid === undefined ? undefined : this.#keys.get(kid);
    if (key === undefined) throw invalidToken('the key that has signed it is not known here');
    return key;
  }

  #checkTimes({ issuedAtMs, expiresAtMs }: AccessGrant): void {
    if (issuedAtMs > this.clock.nowMs() + trustLimits.accessTokenSkewMs) {
      throw invalidToken('it was issued in the future; compare the clocks');
    }
    if (expiresAtMs - issuedAtMs > trustLimits.accessTokenMs + trustLimits.accessTokenSkewMs) {
      throw invalidToken('it lasts longer than a token may');
    }
  }
}

/**
 * What a token says. Nothing is verified: it is for the device that metadata has just given it to. UNAUTHENTICATED
 * (TOKEN_INVALID) where it is no token.
 */
export function grantIn(token: string): AccessGrant {
  try {
    return grantOf(decodeJwt(token));
  } catch (thrown) {
    if (thrown instanceof DrystoneError && thrown.code === 'UNAUTHENTICATED') throw thrown;
    throw invalidToken('it is malformed', thrown);
  }
}

function grantOf({ sub = '', iat = 0, exp = 0, acct, ns }: JWTPayload): AccessGrant {
  return {
    device: parseDeviceId('sub', sub),
    account: parseAccountName('acct', typeof acct === 'string' ? acct : ''),
    namespaces: namespacesOf(ns),
    issuedAtMs: iat * 1000,
    expiresAtMs: exp * 1000,
  };
}

function namespacesOf(claim: unknown): ReadonlyMap<NamespaceId, AccessRight> {
  if (typeof claim !== 'object' || claim === null || Array.isArray(claim))
    throw invalidToken('its claims are malformed');
  const entries = Object.entries(claim);
  if (entries.length > trustLimits.namespacesPerAccessToken) throw invalidToken('it is for too many namespaces');
  return new Map(
    entries.map(([id, letter]) => {
      const right = (['read', 'write'] as const).find((known) => RIGHTS[known] === letter);
      if (right === undefined) throw invalidToken('its claims are malformed');
      return [parseNamespaceId('ns', id), right];
    }),
  );
}

function invalidToken(problem: string, cause?: unknown): DrystoneError {
  const message = `the access token does not count: ${problem}; ask metadata for a new one`;
  return new DrystoneError('UNAUTHENTICATED', 'TOKEN_INVALID', message, {}, { cause });
}

function expiredToken(): DrystoneError {
  const message = 'the access token has ended; ask metadata for a new one';
  return new DrystoneError('UNAUTHENTICATED', 'TOKEN_EXPIRED', message);
}
