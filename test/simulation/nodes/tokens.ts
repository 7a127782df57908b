import { DrystoneError } from '../../../common/errors.js';
import type { TokenTime } from '../../../common/identity/offline-grace.js';
import type { AccessGrant } from '../../../common/identity/access-right.js';
import type { TokenKey } from '../../../common/identity/access-tokens.js';
import { trustLimits } from '../../../common/limits.js';
import type { TokenSigner } from '../../../metadata/trust/access-tokens.js';
import type { TokenAccessOptions } from '../../../server/block-access.js';

/**
 * Access tokens without cryptography, which would leave the thread: they say what they grant and by which key, and are
 * believed by whoever knows the key.
 */
export const signPlainly: TokenSigner = async (grant, key) =>
  JSON.stringify({ ...grant, namespaces: [...grant.namespaces], keyId: key.id });

/** Believes tokens of {@link signPlainly}, by the rules of the real verifier. */
export class PlainVerifier {
  #keyIds: ReadonlySet<string> = new Set();

  constructor(private readonly time: TokenTime) {}

  replaceKeys(keys: readonly TokenKey[]): void {
    this.#keyIds = new Set(keys.map(({ id }) => id));
  }

  readonly verify: TokenAccessOptions['verifier']['verify'] = async (token) => {
    const { keyId, namespaces, ...grant } = JSON.parse(token) as Omit<AccessGrant, 'namespaces'> & {
      readonly keyId: string;
      readonly namespaces: [];
    };
    const { judgedAtMs } = this.time;
    if (judgedAtMs === undefined || !this.#keyIds.has(keyId))
      throw new DrystoneError('UNAUTHENTICATED', 'TOKEN_INVALID', 'the key is not known');
    if (grant.expiresAtMs + trustLimits.accessTokenSkewMs < judgedAtMs) {
      throw new DrystoneError('UNAUTHENTICATED', 'TOKEN_EXPIRED', 'the access token has ended');
    }
    return { ...grant, namespaces: new Map(namespaces) };
  };
}
