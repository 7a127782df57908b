import type { Clock } from '../../../common/clock.js';
import { hashKey, packKeys } from '../../../common/block-hash.js';
import { anySignal } from '../../../common/concurrency/any-signal.js';
import { ChangeSignal } from '../../../common/concurrency/change-signal.js';
import { DrystoneError, toDrystoneError } from '../../../common/errors.js';
import type { NamespaceId } from '../../../common/ids.js';
import { peerLimits, wireLimits } from '../../../common/limits.js';
import type { BlockSource } from './block-source.js';
import type { RankedSource, SourceKind, SourceState } from './source-order.js';
import { TransferRate } from './transfer-rate.js';

/** A block that a source is asked for. */
export interface AskedBlock {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** What is believed. */
  readonly sizeBytes: number;
}

/** Told what became of what a lane was asked, each block once. */
export interface LaneListener {
  /** The verified bytes. */
  readonly onBlock: (block: AskedBlock, data: Buffer) => void;
  /** The source does not have it, or, with an error, has failed. */
  readonly onNothing: (block: AskedBlock, error: DrystoneError | undefined) => void;
  /** Whether somebody else could be asked. */
  readonly hasOther: (block: AskedBlock) => boolean;
}

/**
 * What one source is asked, over one stream at a time. One that fails, or sends nothing for too long while somebody else
 * could be asked, gives back all that it owes and is down for a while; one that sends wrong bytes, for good.
 */
export class SourceLane implements RankedSource, SourceState {
  readonly #news = new ChangeSignal();
  readonly #rate = new TransferRate();
  /** Not asked yet. */
  #pending: AskedBlock[] = [];
  /** Asked, oldest first; the first `#answered` of them are answered. */
  #asked: AskedBlock[] = [];
  #answered = 0;
  #owedBytes = 0;
  /** Blocks in a row that it did not have. */
  #lacks = 0;
  #isEnded = false;
  #downUntilMs = -Infinity;
  /** For how long it has owed something and sent nothing, as far as this process was awake to hear it. */
  #silentMs = 0;

  constructor(
    private readonly namespaceId: NamespaceId,
    private readonly source: BlockSource,
    private readonly clock: Clock,
    private readonly listener: LaneListener,
  ) {}

  get id(): string {
    return this.source.id;
  }

  get kind(): SourceKind {
    return this.source.kind;
  }

  get tier(): number {
    return this.source.tier;
  }

  get owedBytes(): number {
    return this.#owedBytes;
  }

  get bytesPerSecond(): number | undefined {
    return this.#rate.bytesPerSecond;
  }

  get patienceMs(): number {
    return this.kind === 'site-peer' ? peerLimits.sitePatienceMs : peerLimits.patienceMs;
  }

  get isDown(): boolean {
    return this.clock.monotonicMs() < this.#downUntilMs || !this.source.isUsable();
  }

  get #isAgent(): boolean {
    return this.kind === 'site-agent' || this.kind === 'other-agent';
  }

  ask(block: AskedBlock): void {
    if (this.#owedBytes === 0) {
      this.#silentMs = 0;
      this.#rate.begin(this.clock.monotonicMs());
    }
    this.#owedBytes += block.sizeBytes;
    this.#pending.push(block);
    this.#news.notify();
  }

  /** It will be asked for nothing more. */
  end(): void {
    this.#isEnded = true;
    this.#news.notify();
  }

  /** Works until {@link end} was called. Raises only what `signal` aborts with. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const news = this.#news.arm(signal);
      signal.throwIfAborted();
      if (this.#pending.length > 0) await this.#work(signal);
      else if (this.#isEnded) return;
      else await news;
    }
  }

  /** One stream, from its first question to its end. */
  async #work(signal: AbortSignal): Promise<void> {
    const stalled = new AbortController();
    const ended = new AbortController();
    const together = anySignal([signal, stalled.signal, ended.signal]);
    const watching = this.#watch(stalled, anySignal([signal, ended.signal]));
    try {
      const options = { signal: together, onSign: () => void (this.#silentMs = 0) };
      for await (const { data } of this.source.blocks.get(this.namespaceId, this.#lists(together), options)) {
        this.#take(data);
      }
    } catch (thrown) {
      signal.throwIfAborted();
      // What it is asked from now on is for the next stream: this one must not take it.
      ended.abort();
      this.#drop(toDrystoneError(stalled.signal.aborted ? stalled.signal.reason : thrown));
    } finally {
      ended.abort();
      await watching;
    }
  }

  async *#lists(over: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const news = this.#news.arm(over);
      if (over.aborted) return;
      const batch = this.#pending.splice(0, wireLimits.hashesPerMessage);
      if (batch.length > 0) {
        this.#asked.push(...batch);
        yield packKeys(batch.map(({ hash }) => hashKey(hash)));
      } else if (this.#isEnded) return;
      else await news;
    }
  }

  #take(data: Buffer | undefined): void {
    const block = this.#asked[this.#answered];
    if (block === undefined) return;
    this.#answered++;
    if (this.#answered >= wireLimits.hashesPerMessage) {
      this.#asked = this.#asked.slice(this.#answered);
      this.#answered = 0;
    }
    this.#owedBytes -= block.sizeBytes;
    this.#silentMs = 0;
    if (data === undefined) {
      // One that has little of this is not waited for any more.
      if (++this.#lacks >= peerLimits.lacks && !this.#isAgent) this.#pause(peerLimits.dropMs);
      this.listener.onNothing(block, undefined);
    } else {
      this.#lacks = 0;
      this.#rate.received(data.length, this.clock.monotonicMs());
      this.source.onFetched(data.length);
      this.listener.onBlock(block, data);
    }
  }

  #pause(durationMs: number): void {
    this.#lacks = 0;
    this.#downUntilMs = this.clock.monotonicMs() + durationMs;
  }

  #drop(error: DrystoneError): void {
    const owed = [...this.#asked.slice(this.#answered), ...this.#pending];
    this.#asked = [];
    this.#pending = [];
    this.#answered = 0;
    this.#owedBytes = 0;
    this.#pause(error.code === 'DATA_LOSS' ? Infinity : peerLimits.dropMs);
    this.source.onFailure(error);
    for (const block of owed) this.listener.onNothing(block, error);
  }

  /** Aborts `stalled` when nothing has come for too long and it could come from elsewhere, until `signal` aborts. */
  async #watch(stalled: AbortController, signal: AbortSignal): Promise<void> {
    const limitMs = this.#isAgent ? peerLimits.agentStallMs : peerLimits.peerStallMs;
    const rest = (): Promise<boolean> =>
      this.clock.sleep(peerLimits.stallCheckMs, signal).then(
        () => true,
        () => false,
      );
    while (await rest()) {
      const oldest = this.#asked[this.#answered];
      if (oldest === undefined) continue;
      // Looks are counted, not time: where this process itself stood still, much may wait to be read.
      this.#silentMs += peerLimits.stallCheckMs;
      if (this.#silentMs < limitMs || !this.listener.hasOther(oldest)) continue;
      const message = `nothing has come from ${this.kind} ${this.id} for ${Math.round(this.#silentMs / 1000)} s`;
      stalled.abort(new DrystoneError('UNAVAILABLE', 'TRANSPORT', message));
      return;
    }
  }
}
