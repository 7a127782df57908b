import type { Clock } from '../../common/clock.js';
import { toDrystoneError } from '../../common/errors.js';
import type { TokenKey } from '../../common/identity/access-tokens.js';
import type { NamespaceId } from '../../common/ids.js';
import { trustLimits } from '../../common/limits.js';
import type { TokenKeeper } from './kept-token.js';
import type { MetadataCalls } from './metadata-calls.js';

/** Times are monotonic: how far this machine's calendar is from metadata's does not matter. */
interface HeldToken {
  readonly token: string;
  readonly renewAtMs: number;
}

export interface AccessTokensParts {
  readonly account: Pick<MetadataCalls['account'], 'issueAccessToken'>;
  readonly clock: Clock;
  /** Where the last token is kept for the next start; nowhere unless set. */
  readonly keeper?: TokenKeeper;
  /** Told the keys with which such tokens are signed, whenever one is issued or taken up. */
  readonly onTokenKeys?: (keys: readonly TokenKey[]) => void;
  /** Whether metadata is known to be away, so that it need not be asked; never unless set. */
  readonly isAway?: () => boolean;
}

/** The access tokens of this device, one for each namespace, each taken anew from metadata before it ends. */
export class AccessTokens {
  readonly #held = new Map<NamespaceId, HeldToken>();
  readonly #asking = new Map<NamespaceId, Promise<string>>();

  constructor(private readonly parts: AccessTokensParts) {}

  /** Takes up the token that was kept, to be renewed as soon as metadata can be asked. */
  async restore(): Promise<void> {
    const kept = await this.parts.keeper?.read();
    if (kept === undefined) return;
    this.#held.set(kept.namespaceId, { token: kept.token, renewAtMs: -Infinity });
    this.parts.onTokenKeys?.(kept.tokenKeys);
  }

  /**
   * A token that opens the namespace, and another one than `refused`, which a server did not take. Where less than
   * `trustLimits.accessTokenReserveMs` of the one at hand is left, a new one is asked for, once for all who want it. While
   * metadata cannot be reached the one at hand serves on, also when it has ended: agents that are cut off as well take it for
   * a while (docs/security.md). Raises the errors of IssueAccessToken.
   */
  async tokenFor(namespaceId: NamespaceId, refused?: string): Promise<string> {
    const held = this.#held.get(namespaceId);
    const isRefused = held !== undefined && held.token === refused;
    if (isRefused) this.#held.set(namespaceId, { ...held, renewAtMs: -Infinity });
    const usable = isRefused ? undefined : held;
    if (usable !== undefined && this.parts.clock.monotonicMs() < usable.renewAtMs) return usable.token;
    if (usable !== undefined && this.parts.isAway?.() === true) return usable.token;
    const asking = this.#asking.get(namespaceId) ?? this.#ask(namespaceId);
    try {
      return await asking;
    } catch (thrown) {
      if (usable !== undefined && toDrystoneError(thrown).isTransient) return usable.token;
      throw thrown;
    }
  }

  /** From now on there are others, where metadata can be asked for them. */
  forget(): void {
    for (const [namespaceId, held] of this.#held) this.#held.set(namespaceId, { ...held, renewAtMs: -Infinity });
  }

  #ask(namespaceId: NamespaceId): Promise<string> {
    const asking = this.#issue(namespaceId).finally(() => this.#asking.delete(namespaceId));
    this.#asking.set(namespaceId, asking);
    return asking;
  }

  async #issue(namespaceId: NamespaceId): Promise<string> {
    const { account, clock, keeper, onTokenKeys } = this.parts;
    const askedAtMs = clock.monotonicMs();
    const askedOnMs = clock.nowMs();
    const issued = await account.issueAccessToken({ namespaceIds: [namespaceId] });
    const { accessToken: token } = issued;
    const expiresAtMs = Number(issued.expiresAtMs);
    const { accessTokenMs, accessTokenReserveMs } = trustLimits;
    const endsAtMs = askedAtMs + Math.min(accessTokenMs, expiresAtMs - askedOnMs);
    this.#held.set(namespaceId, { token, renewAtMs: endsAtMs - accessTokenReserveMs });
    const tokenKeys = issued.tokenKeys.map(({ keyId, publicKey }) => ({ id: keyId, publicKey }));
    onTokenKeys?.(tokenKeys);
    // A token that cannot be kept serves all the same.
    await keeper?.keep({ namespaceId, token, expiresAtMs, tokenKeys }).catch(() => undefined);
    return token;
  }
}
