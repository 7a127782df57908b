import { hashKey, packKeys, type HashKey } from '../../../common/block-hash.js';
import { BoundedQueue } from '../../../common/concurrency/bounded-queue.js';
import { DrystoneError, toDrystoneError } from '../../../common/errors.js';
import type { NamespaceId } from '../../../common/ids.js';
import { clientLimits, wireLimits } from '../../../common/limits.js';
import type { BlockClient } from '../../../server/block-client.js';

/** A block that is wanted. Exactly one of the two is called, once. */
export interface WantedBlock {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** The verified bytes; they share memory with others and are to be copied if they are kept. */
  readonly deliver: (data: Buffer) => void;
  /** Nobody who could be reached has it. */
  readonly fail: (error: DrystoneError) => void;
}

/** One place to fetch from. */
export interface BlockSource {
  readonly blocks: BlockClient;
  /** It sent a block of this many bytes. */
  readonly onFetched: (sizeBytes: number) => void;
  /** It broke off. */
  readonly onFailure: (error: DrystoneError) => void;
}

/**
 * Fetches blocks from several sources: each block from the first that has it. What one lacks is asked of the next while
 * the first goes on; a source that breaks off leaves all that it owes to the next. A block wanted several times at once
 * travels once.
 *
 * How much is under way is bounded by whoever wants blocks: each one holds its share of a budget until it is answered.
 */
export class BlockFetcher {
  readonly #lanes: readonly SourceLane[];
  readonly #wanted = new Map<HashKey, WantedBlock[]>();

  /** @param sources in the order of preference. */
  constructor(namespaceId: NamespaceId, sources: readonly BlockSource[]) {
    const settle = (hash: Uint8Array, settleOne: (wanted: WantedBlock) => void): void => this.#settle(hash, settleOne);
    this.#lanes = sources.map((source) => new SourceLane(namespaceId, source, settle));
  }

  /** Wants a block. */
  async want(block: WantedBlock): Promise<void> {
    const key = hashKey(block.hash);
    const others = this.#wanted.get(key);
    if (others !== undefined) {
      others.push(block);
      return;
    }
    this.#wanted.set(key, [block]);
    await this.#pass(0, block.hash, undefined);
  }

  /** No more blocks will be wanted. */
  end(): void {
    this.#lanes[0]?.end();
  }

  /** Works until {@link end} was called and every block is answered. Raises only what `signal` aborts with. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.#lanes.map(async (lane, index) => {
        await lane.run((hash, error) => this.#pass(index + 1, hash, error), signal);
        this.#lanes[index + 1]?.end();
      }),
    );
  }

  async #pass(index: number, hash: Uint8Array, error: DrystoneError | undefined): Promise<void> {
    const lane = this.#lanes[index];
    if (lane !== undefined) {
      await lane.ask(hash);
      return;
    }
    const reason = error === undefined ? 'none of its agents has it' : `its agents cannot be reached: ${error.message}`;
    const failure = new DrystoneError('UNAVAILABLE', 'BLOCKS_UNAVAILABLE', `a block is not to be had: ${reason}`);
    this.#settle(hash, (wanted) => wanted.fail(failure));
  }

  #settle(hash: Uint8Array, settleOne: (wanted: WantedBlock) => void): void {
    const key = hashKey(hash);
    const wanted = this.#wanted.get(key) ?? [];
    this.#wanted.delete(key);
    for (const one of wanted) settleOne(one);
  }
}

type PassOn = (hash: Uint8Array, error: DrystoneError | undefined) => Promise<void>;
type Settle = (hash: Uint8Array, settleOne: (wanted: WantedBlock) => void) => void;

/** What one source is asked. */
class SourceLane {
  readonly #incoming = new BoundedQueue<Uint8Array>(clientLimits.wantedBlocksQueued);
  readonly #lists = new BoundedQueue<Uint8Array>(1);
  /** Asked and not answered, oldest first. */
  readonly #asked: Uint8Array[] = [];
  #failure: DrystoneError | undefined;

  constructor(
    private readonly namespaceId: NamespaceId,
    private readonly source: BlockSource,
    private readonly settle: Settle,
  ) {}

  ask(hash: Uint8Array): Promise<void> {
    return this.#incoming.push(hash);
  }

  end(): void {
    this.#incoming.end();
  }

  async run(passOn: PassOn, signal: AbortSignal): Promise<void> {
    const failQueue = (): void => this.#incoming.fail(signal.reason);
    signal.addEventListener('abort', failQueue, { once: true });
    try {
      await Promise.all([this.#send(passOn), this.#receive(passOn, signal)]);
    } finally {
      signal.removeEventListener('abort', failQueue);
    }
  }

  /** Makes lists of what comes in; after a failure everything goes to the next source. */
  async #send(passOn: PassOn): Promise<void> {
    for (;;) {
      const hashes = await this.#incoming.takeBatch(wireLimits.hashesPerMessage);
      if (hashes === undefined) break;
      if (this.#failure === undefined) {
        this.#asked.push(...hashes);
        // A list that can no longer be sent is passed on with everything else that was asked.
        await this.#lists.push(packKeys(hashes.map(hashKey))).catch(() => undefined);
      } else {
        for (const hash of hashes) await passOn(hash, this.#failure);
      }
    }
    this.#lists.end();
  }

  async #receive(passOn: PassOn, signal: AbortSignal): Promise<void> {
    let answered = 0;
    try {
      for await (const { hash, data } of this.source.blocks.get(this.namespaceId, this.#lists, { signal })) {
        answered++;
        if (data === undefined) {
          await passOn(hash, undefined);
        } else {
          this.source.onFetched(data.length);
          this.settle(hash, (wanted) => wanted.deliver(data));
        }
        if (answered >= wireLimits.hashesPerMessage) {
          this.#asked.splice(0, answered);
          answered = 0;
        }
      }
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      this.#failure = toDrystoneError(thrown);
      this.source.onFailure(this.#failure);
      this.#lists.fail(this.#failure);
      for (const hash of this.#asked.splice(0).slice(answered)) await passOn(hash, this.#failure);
    }
  }
}
