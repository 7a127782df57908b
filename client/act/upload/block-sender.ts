import { hashKey, hashKeyAt, hashCount, packKeys, type HashKey } from '../../../common/block-hash.js';
import { BoundedQueue } from '../../../common/concurrency/bounded-queue.js';
import type { ByteBudget } from '../../../common/concurrency/byte-budget.js';
import { DrystoneError, toDrystoneError } from '../../../common/errors.js';
import { freeBytes } from '../../../common/free-bytes.js';
import type { NamespaceId } from '../../../common/ids.js';
import { clientLimits, wireLimits } from '../../../common/limits.js';
import type { Receipt } from '../../../common/receipt.js';
import type { Block } from '../../../server/block-client.js';
import type { SyncTally } from '../../tally.js';
import type { Target, Upstream } from '../../upstream/upstream.js';
import { SlotGate } from '../slot-gate.js';

/** A block to be stored; its bytes are charged to the budget until it is. */
export interface OutgoingBlock {
  /** 32 bytes. */
  readonly hash: Buffer;
  readonly sizeBytes: number;
  /** The bytes, where they are at hand; otherwise `read` gets them, should the target lack the block. */
  readonly data: Buffer | undefined;
  readonly read: () => Promise<Buffer>;
  /** Called once, when the target has it for the namespace. */
  readonly onStored: () => void;
}

interface UnderWay {
  readonly sizeBytes: number;
  /** Undefined where the bytes have not been needed. */
  data: Uint8Array | undefined;
  readonly onStored: (() => void)[];
}

export interface BlockSenderParts {
  readonly namespaceId: NamespaceId;
  readonly upstream: Pick<Upstream, 'chooseTarget'>;
  readonly budget: ByteBudget;
  readonly tally: SyncTally;
  /** Told of each receipt. */
  readonly onReceipt: (receipt: Receipt) => void;
}

/**
 * Gets blocks to the target: asks which of them it lacks, in messages of as many as have come together, and puts exactly
 * those. A block that is offered again while its first copy is under way is not asked about a second time.
 */
export class BlockSender {
  readonly #offered = new BoundedQueue<OutgoingBlock>(clientLimits.uploadBlocksQueued);
  readonly #missing = new BoundedQueue<Block>(clientLimits.uploadBlocksQueued);
  /** The blocks under way, and who waits for each. */
  readonly #underWay = new Map<HashKey, UnderWay>();
  /** Stored, but unknown to the upstream until the receipt has got there. */
  readonly #unrecorded = new Set<HashKey>();
  /** What was asked and not answered, oldest first. */
  readonly #asked: OutgoingBlock[][] = [];
  #target: Target | undefined;
  readonly #asking = new SlotGate(clientLimits.asksInFlight);

  constructor(private readonly parts: BlockSenderParts) {}

  /** Hands a block over; its bytes have been taken from the budget, and are freed when it is stored. */
  async send(block: OutgoingBlock): Promise<void> {
    const key = hashKey(block.hash);
    const { sizeBytes, onStored } = block;
    const first = this.#underWay.get(key);
    if (first === undefined && !this.#unrecorded.has(key)) {
      this.#underWay.set(key, { sizeBytes, data: block.data, onStored: [onStored] });
      await this.#offered.push(block);
      return;
    }
    // The bytes of the first copy are enough.
    this.parts.budget.give(sizeBytes);
    this.#saved(sizeBytes);
    if (first === undefined) onStored();
    else first.onStored.push(onStored);
  }

  /** No more blocks will come. */
  end(): void {
    this.#offered.end();
  }

  /** The upstream knows of these blocks, as packed hashes: whoever asks is told. */
  recorded(hashes: Uint8Array): void {
    for (let index = 0; index < hashCount(hashes); index++) this.#unrecorded.delete(hashKeyAt(hashes, index));
  }

  /**
   * Works until {@link end} was called and every block is stored. Raises the errors of the upstream and of the target, and
   * what a block could not be read with.
   */
  async run(signal: AbortSignal): Promise<void> {
    const failQueues = (): void => {
      this.#offered.fail(signal.reason);
      this.#missing.fail(signal.reason);
    };
    signal.addEventListener('abort', failQueues, { once: true });
    try {
      await Promise.all([this.#ask(signal), this.#put(signal)]);
    } finally {
      signal.removeEventListener('abort', failQueues);
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const first = await this.#nextBlocks();
    if (first !== undefined) {
      this.#target = await this.parts.upstream.chooseTarget(hashesOf(first), signal);
      await this.#askTarget(this.#target, first, signal);
    }
    this.#missing.end();
  }

  async #askTarget(target: Target, first: OutgoingBlock[], signal: AbortSignal): Promise<void> {
    for await (const missingHashes of target.missing(this.#lists(first), signal)) {
      this.#asking.leave();
      const missing = new Set<HashKey>();
      for (let index = 0; index < hashCount(missingHashes); index++) missing.add(hashKeyAt(missingHashes, index));
      for (const block of this.#asked.shift() ?? []) {
        if (missing.has(hashKey(block.hash))) {
          this.parts.tally.add('blocksMissing');
          await this.#missing.push({ hash: block.hash, data: await this.#bytesOf(block) });
        } else {
          this.#saved(block.sizeBytes);
          this.#stored(hashKey(block.hash));
        }
      }
    }
  }

  async *#lists(first: OutgoingBlock[]): AsyncGenerator<Uint8Array, void, undefined> {
    for (let blocks: OutgoingBlock[] | undefined = first; blocks !== undefined; blocks = await this.#nextBlocks()) {
      this.#asked.push(blocks);
      yield hashesOf(blocks);
    }
  }

  async #nextBlocks(): Promise<OutgoingBlock[] | undefined> {
    // While answers are awaited, more comes together for the next message.
    await this.#asking.enter();
    const blocks = await this.#offered.takeBatch(wireLimits.hashesPerMessage);
    this.parts.tally.add('blocksAsked', blocks?.length ?? 0);
    return blocks;
  }

  async #put(signal: AbortSignal): Promise<void> {
    // Before the first missing block there is nothing to connect for, and no target.
    const first = await this.#missing.takeBatch(1);
    if (first === undefined || this.#target === undefined) return;
    const { blocks, onFailure } = this.#target;
    try {
      for await (const receipt of blocks.put(this.parts.namespaceId, startingWith(first, this.#missing), { signal })) {
        this.parts.onReceipt(receipt);
        for (let index = 0; index < hashCount(receipt.hashes); index++) this.#covered(hashKeyAt(receipt.hashes, index));
      }
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toDrystoneError(thrown);
      const isReplaceable = onFailure(error);
      // Whatever is wrong with the target, the same upload to another, or later, may succeed.
      const { reason, message, details } = error;
      // What this one asks to wait is no reason to keep another one waiting.
      const wait = isReplaceable ? {} : details;
      throw new DrystoneError('UNAVAILABLE', reason, `an upload broke off: ${message}`, wait, { cause: thrown });
    }
  }

  async #bytesOf({ hash, data, read }: OutgoingBlock): Promise<Uint8Array> {
    const bytes = data ?? (await read());
    const block = this.#underWay.get(hashKey(hash));
    if (block !== undefined) block.data = bytes;
    return bytes;
  }

  #covered(key: HashKey): void {
    const sizeBytes = this.#underWay.get(key)?.sizeBytes;
    if (sizeBytes === undefined) return;
    this.parts.tally.add('blocksUploaded');
    this.parts.tally.add('bytesUploaded', sizeBytes);
    this.parts.tally.work.bytesDone += sizeBytes;
    this.#unrecorded.add(key);
    this.#stored(key);
  }

  #saved(sizeBytes: number): void {
    this.parts.tally.add('bytesSaved', sizeBytes);
    this.parts.tally.work.bytesDone += sizeBytes;
  }

  #stored(key: HashKey): void {
    const block = this.#underWay.get(key);
    if (block === undefined) return;
    this.#underWay.delete(key);
    if (block.data !== undefined) freeBytes(block.data);
    this.parts.budget.give(block.sizeBytes);
    for (const onStored of block.onStored) onStored();
  }
}

function hashesOf(blocks: readonly OutgoingBlock[]): Uint8Array {
  return packKeys(blocks.map(({ hash }) => hashKey(hash)));
}

async function* startingWith<T>(first: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield* first;
  yield* rest;
}
