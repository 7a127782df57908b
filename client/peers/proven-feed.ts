import type { FeedPage } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { Clock } from '../../common/clock.js';
import { DrystoneError } from '../../common/errors.js';
import { includesRight } from '../../common/identity/access-right.js';
import type { AccessTokenVerifier } from '../../common/identity/access-tokens.js';
import type { TokenTime } from '../../common/identity/offline-grace.js';
import type { DeviceId, NamespaceId } from '../../common/ids.js';
import { grantedAccess, type StreamAccess } from '../../server/block-access.js';
import { whileValid } from '../../server/while-valid.js';
import type { ReadableFeed } from '../connection/feed-calls.js';

export interface ProofParts {
  readonly namespaceId: NamespaceId;
  /** The device at the other end, as its certificate says. */
  readonly device: DeviceId;
  /** Judges as of `tokenTime`. */
  readonly verifier: Pick<AccessTokenVerifier, 'verify'>;
  readonly tokenTime: TokenTime;
  readonly clock: Clock;
}

/**
 * The feed of another device, of which no page is handed on before the device has shown that it may change the namespace:
 * one who may only read it, or is a member no more, makes nobody believe anything. UNAUTHENTICATED: TOKEN_MISSING,
 * TOKEN_INVALID (also where it is another device's), TOKEN_EXPIRED, also in the middle of a subscription, which ends with the
 * token. PERMISSION_DENIED (ROLE_INSUFFICIENT).
 */
export function provenFeed(feed: ReadableFeed, parts: ProofParts): ReadableFeed {
  return {
    async readFeed(request, options) {
      const page = await feed.readFeed(request, options);
      await accessOf(page, parts);
      return page;
    },
    async *subscribe(request, options) {
      const pages = feed.subscribe(request, options);
      try {
        const first = await pages.next();
        if (first.done === true) return;
        const access = await accessOf(first.value, parts);
        yield first.value;
        yield* whileValid(access, pages);
      } finally {
        // Not waited for: a peer that has nothing to say would keep the call open.
        pages.return(undefined).catch(() => undefined);
      }
    },
  };
}

/** What the device has shown with this page. */
async function accessOf({ accessToken = '' }: FeedPage, parts: ProofParts): Promise<StreamAccess> {
  const { namespaceId, device, verifier, clock, tokenTime: time } = parts;
  if (accessToken === '') {
    const message = `device ${device} does not show that it may change the namespace; its feed is not followed`;
    throw new DrystoneError('UNAUTHENTICATED', 'TOKEN_MISSING', message);
  }
  const grant = await verifier.verify(accessToken);
  if (grant.device !== device) {
    const message = `the access token that device ${device} shows was issued to another; its feed is not followed`;
    throw new DrystoneError('UNAUTHENTICATED', 'TOKEN_INVALID', message);
  }
  if (!includesRight(grant.namespaces.get(namespaceId), 'write')) {
    const message = `device ${device} may not change the namespace; its feed is not followed`;
    throw new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', message);
  }
  return grantedAccess(grant, { isAssigned: (asked) => asked === namespaceId, isRevoked: () => false, clock, time });
}
