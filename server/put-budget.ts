import { ByteBudget } from '../common/concurrency/byte-budget.js';
import type { AccountName } from '../common/ids.js';
import { blockServerLimits } from '../common/limits.js';

/**
 * Bounds the bytes that all put streams of a server have in flight, and those of each account: one account's uploads wait
 * for each other before they make others wait.
 */
export class PutBudget {
  readonly #total = new ByteBudget(blockServerLimits.putBytesInFlightTotal);
  /** Of the accounts that have bytes in flight. */
  readonly #shares = new Map<AccountName, ByteBudget>();

  /** Bytes taken and not yet given back. */
  get usedBytes(): number {
    return this.#total.usedBytes;
  }

  /** Accounts that have bytes in flight. */
  get accountCount(): number {
    return this.#shares.size;
  }

  /** Takes `bytes`, waiting until they fit. Rejects with CANCELLED when `signal` aborts first; then nothing was taken. */
  async take(account: AccountName, bytes: number, signal?: AbortSignal): Promise<void> {
    const share = this.#shares.get(account) ?? new ByteBudget(blockServerLimits.putBytesInFlightPerAccount);
    this.#shares.set(account, share);
    let shareBytes = 0;
    try {
      await share.take(bytes, signal);
      shareBytes = bytes;
      await this.#total.take(bytes, signal);
    } catch (thrown) {
      this.#giveShare(account, shareBytes);
      throw thrown;
    }
  }

  /** Gives `bytes` back. */
  give(account: AccountName, bytes: number): void {
    this.#total.give(bytes);
    this.#giveShare(account, bytes);
  }

  #giveShare(account: AccountName, bytes: number): void {
    const share = this.#shares.get(account);
    share?.give(bytes);
    // Whoever waited for some of it has been granted it, so nobody does.
    if (share?.usedBytes === 0) this.#shares.delete(account);
  }
}
