import { decodeProtectedHeader } from 'jose';
import { DrystoneError } from '../../../common/errors.js';
import type { TokenTime } from '../../../common/identity/offline-grace.js';
import { grantIn, type TokenKey } from '../../../common/identity/access-tokens.js';
import { trustLimits } from '../../../common/limits.js';
import type { TokenSigner } from '../../../metadata/trust/access-tokens.js';
import type { TokenAccessOptions } from '../../../server/block-access.js';

/**
 * Access tokens without cryptography, which would leave the thread: their holders read them as they read others, they say by
 * which key they are, and are believed by whoever knows the key.
 */
export const signPlainly: TokenSigner = async (grant, key) => {
  const ns = Object.fromEntries([...grant.namespaces].map(([id, right]) => [id, right === 'write' ? 'w' : 'r']));
  const { device: sub, account: acct, issuedAtMs, expiresAtMs } = grant;
  const claims = { sub, acct, ns, iat: issuedAtMs / 1000, exp: expiresAtMs / 1000 };
  return [{ kid: key.id }, claims, {}].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
};

/** Believes tokens of {@link signPlainly}, by the rules of the real verifier. */
export class PlainVerifier {
  #keyIds: ReadonlySet<string> = new Set();

  constructor(private readonly time: TokenTime) {}

  replaceKeys(keys: readonly TokenKey[]): void {
    this.#keyIds = new Set(keys.map(({ id }) => id));
  }

  readonly verify: TokenAccessOptions['verifier']['verify'] = async (token) => {
    const grant = grantIn(token);
    const { kid = '' } = decodeProtectedHeader(token);
    const { judgedAtMs } = this.time;
    if (judgedAtMs === undefined || !this.#keyIds.has(kid))
      throw new DrystoneError('UNAUTHENTICATED', 'TOKEN_INVALID', 'the key is not known');
    if (grant.expiresAtMs + trustLimits.accessTokenSkewMs < judgedAtMs) {
      throw new DrystoneError('UNAUTHENTICATED', 'TOKEN_EXPIRED', 'the access token has ended');
    }
    return grant;
  };
}
