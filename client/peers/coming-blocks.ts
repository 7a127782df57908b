import { hashCount, hashKey, hashKeyAt, type HashKey } from '../../common/block-hash.js';
import type { Clock } from '../../common/clock.js';
import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import type { Blocklist } from '../../common/feed/item.js';
import { peerLimits } from '../../common/limits.js';

/** Where a block that has just come can be had. */
export type ArrivedBlock =
  | { readonly from: 'memory'; readonly data: Buffer }
  | {
      readonly from: 'file';
      /** Absolute, in the order in which they are to be tried: the file takes its place while others read. */
      readonly paths: readonly string[];
      readonly offsetBytes: number;
      readonly sizeBytes: number;
    };

/**
 * The blocks of the download that is under way: which are coming, and where those lie that have come. Others are given them
 * before their file is whole. What has come is known until the next download begins.
 */
export class ComingBlocks {
  /** Their sizes. */
  readonly #coming = new Map<HashKey, number>();
  readonly #arrived = new Map<HashKey, ArrivedBlock>();
  readonly #waiters = new Map<HashKey, Set<() => void>>();
  readonly #begun = new ChangeSignal();
  #bytesInMemory = 0;
  /** Blocks that have come since the start. */
  #arrivals = 0;
  /** Until when nobody waits for news. */
  #noNewsUntilMs = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** A download of these begins; of them the first `peerLimits.comingBlocks` are known. */
  begin(lists: Iterable<Blocklist>): void {
    this.end();
    this.#arrived.clear();
    this.#bytesInMemory = 0;
    for (const list of lists) this.#expect(list);
    this.#noNewsUntilMs = -Infinity;
    this.#begun.notify();
  }

  /** The block lies in a file, verified. */
  inFile(hash: Uint8Array, paths: readonly string[], offsetBytes: number, sizeBytes: number): void {
    const key = hashKey(hash);
    if (!this.#coming.delete(key)) return;
    this.#arrivals++;
    this.#arrived.set(key, { from: 'file', paths, offsetBytes, sizeBytes });
    this.#wake(key);
  }

  /** The block is a whole file, which will soon lie in the folder; until then these bytes, which are copied, are given. */
  whole(hash: Uint8Array, data: Buffer): void {
    const key = hashKey(hash);
    if (!this.#coming.delete(key)) return;
    this.#arrivals++;
    this.#makeRoom(data.length);
    this.#bytesInMemory += data.length;
    this.#arrived.set(key, { from: 'memory', data: Buffer.from(data) });
    this.#wake(key);
  }

  /** The download is over: what has not come will not. */
  end(): void {
    this.#coming.clear();
    for (const key of [...this.#waiters.keys()]) this.#wake(key);
  }

  /** The size of a block that is coming or has come; undefined for any other. */
  sizeOf(key: HashKey): number | undefined {
    const arrived = this.#arrived.get(key);
    if (arrived === undefined) return this.#coming.get(key);
    return arrived.from === 'memory' ? arrived.data.length : arrived.sizeBytes;
  }

  /** Where the block lies, if it has come. */
  arrived(key: HashKey): ArrivedBlock | undefined {
    return this.#arrived.get(key);
  }

  /**
   * Resolves when the block has come, or will not, at once where it is not coming; also when nothing at all has come for
   * `peerLimits.comingIdleMs`: this endpoint may itself wait for whoever asks.
   */
  async settled(hash: Uint8Array): Promise<void> {
    const key = hashKey(hash);
    for (let arrivals = -1; this.#coming.has(key) && arrivals !== this.#arrivals;) {
      arrivals = this.#arrivals;
      await this.#woken(key);
    }
  }

  /**
   * Resolves as soon as `isKnown`: somebody asks for what this endpoint may be about to hear of. It is looked again whenever
   * a download begins, for `peerLimits.newsWaitMs` at the most; after that was in vain, not for `peerLimits.newsPauseMs`.
   */
  async news(isKnown: () => boolean): Promise<void> {
    const endsAtMs = this.clock.monotonicMs() + peerLimits.newsWaitMs;
    while (!isKnown()) {
      const nowMs = this.clock.monotonicMs();
      if (nowMs < this.#noNewsUntilMs) return;
      if (nowMs >= endsAtMs) {
        this.#noNewsUntilMs = nowMs + peerLimits.newsPauseMs;
        return;
      }
      const over = new AbortController();
      const begun = this.#begun.arm(over.signal);
      const late = this.clock.sleep(endsAtMs - nowMs, over.signal).catch(() => undefined);
      await Promise.race([begun, late]);
      over.abort();
    }
  }

  #expect({ hashes, sizes }: Blocklist): void {
    for (let index = 0; index < hashCount(hashes); index++) {
      if (this.#coming.size >= peerLimits.comingBlocks) return;
      this.#coming.set(hashKeyAt(hashes, index), sizes[index] ?? 0);
    }
  }

  async #woken(key: HashKey): Promise<void> {
    const over = new AbortController();
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters);
    const wake = (): void => over.abort();
    waiters.add(wake);
    await this.clock.sleep(peerLimits.comingIdleMs, over.signal).catch(() => undefined);
    waiters.delete(wake);
    if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
  }

  #wake(key: HashKey): void {
    const waiters = this.#waiters.get(key) ?? [];
    this.#waiters.delete(key);
    for (const wake of waiters) wake();
  }

  /** Forgets the oldest bytes: their files have their place by now, or will soon. */
  #makeRoom(sizeBytes: number): void {
    for (const [key, arrived] of this.#arrived) {
      if (this.#bytesInMemory + sizeBytes <= peerLimits.comingBytes) return;
      if (arrived.from !== 'memory') continue;
      this.#bytesInMemory -= arrived.data.length;
      this.#arrived.delete(key);
    }
  }
}
