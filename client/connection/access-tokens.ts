import type { Clock } from '../../common/clock.js';
import { toDrystoneError } from '../../common/errors.js';
import type { TokenKey } from '../../common/identity/access-tokens.js';
import type { NamespaceId } from '../../common/ids.js';
import { trustLimits } from '../../common/limits.js';
import type { MetadataCalls } from './metadata-calls.js';

/** Times are monotonic: how far this machine's calendar is from metadata's does not matter. */
interface HeldToken {
  readonly token: string;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

/** The access tokens of this device, one for each namespace, each taken anew from metadata before it ends. */
export class AccessTokens {
  readonly #held = new Map<NamespaceId, HeldToken>();
  readonly #asking = new Map<NamespaceId, Promise<string>>();

  constructor(
    private readonly account: Pick<MetadataCalls['account'], 'issueAccessToken'>,
    private readonly clock: Clock,
    /** Told the keys with which such tokens are signed, whenever one is issued. */
    private readonly onTokenKeys: (keys: readonly TokenKey[]) => void = () => undefined,
  ) {}

  /**
   * A token that opens the namespace, and another one than `refused`, which a block server did not take. Where less than `trustLimits.accessTokenReserveMs` of the one at hand is left, a new
   * one is asked for, once for all who want it; while metadata is away the old one serves until it ends. Raises the errors
   * of IssueAccessToken.
   */
  async tokenFor(namespaceId: NamespaceId, refused?: string): Promise<string> {
    if (refused !== undefined && this.#held.get(namespaceId)?.token === refused) this.#held.delete(namespaceId);
    const held = this.#held.get(namespaceId);
    if (held !== undefined && this.clock.monotonicMs() < held.renewAtMs) return held.token;
    const asking = this.#asking.get(namespaceId) ?? this.#ask(namespaceId);
    try {
      return await asking;
    } catch (thrown) {
      const stillCounts = held !== undefined && this.clock.monotonicMs() < held.endsAtMs;
      if (stillCounts && toDrystoneError(thrown).isTransient) return held.token;
      throw thrown;
    }
  }

  /** From now on there are others. */
  forget(): void {
    this.#held.clear();
  }

  #ask(namespaceId: NamespaceId): Promise<string> {
    const asking = this.#issue(namespaceId).finally(() => this.#asking.delete(namespaceId));
    this.#asking.set(namespaceId, asking);
    return asking;
  }

  async #issue(namespaceId: NamespaceId): Promise<string> {
    const askedAtMs = this.clock.monotonicMs();
    const askedOnMs = this.clock.nowMs();
    const request = { namespaceIds: [namespaceId] };
    const { accessToken: token, expiresAtMs, tokenKeys } = await this.account.issueAccessToken(request);
    this.onTokenKeys(tokenKeys.map(({ keyId: id, publicKey }) => ({ id, publicKey })));
    const { accessTokenMs, accessTokenReserveMs } = trustLimits;
    const endsAtMs = askedAtMs + Math.min(accessTokenMs, Number(expiresAtMs) - askedOnMs);
    this.#held.set(namespaceId, { token, endsAtMs, renewAtMs: endsAtMs - accessTokenReserveMs });
    return token;
  }
}
