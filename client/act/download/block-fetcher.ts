import type { Clock } from '../../../common/clock.js';
import { hashKey, type HashKey } from '../../../common/block-hash.js';
import { anySignal } from '../../../common/concurrency/any-signal.js';
import { DrystoneError } from '../../../common/errors.js';
import type { NamespaceId } from '../../../common/ids.js';
import type { BlockSource } from './block-source.js';
import { SourceLane, type AskedBlock, type LaneListener } from './source-lane.js';
import { chooseSource, isFirst, orderFor } from './source-order.js';
import { findHolders, type Holders } from './survey.js';

/** A block that is wanted. Exactly one of the two functions is called, once. */
export interface WantedBlock extends AskedBlock {
  /** The verified bytes; they share memory with others and are to be copied if they are kept. */
  readonly deliver: (data: Buffer) => void;
  /** Nobody who could be reached has it. */
  readonly fail: (error: DrystoneError) => void;
}

export interface BlockFetcherOptions {
  readonly namespaceId: NamespaceId;
  /** The id of this endpoint among those that share what there is to fetch. */
  readonly self: string;
  readonly sources: readonly BlockSource[];
  readonly clock: Clock;
  /** What is fetched is held to a bandwidth: silence then says nothing about who is silent. */
  readonly isPaced: boolean;
}

/** Who wants a block, and who can still be asked for it. */
interface Wish {
  readonly wanted: WantedBlock[];
  readonly left: SourceLane[];
}

/**
 * Fetches blocks from several sources at once: each block from the first that has it, in an order of its own
 * (`orderFor`). What one lacks is asked of the next while the first goes on; a source that fails leaves all that it owes
 * to others. A block wanted several times at once travels once.
 *
 * How much is under way is bounded by whoever wants blocks: each one holds its share of a budget until it is answered.
 */
export class BlockFetcher {
  readonly #lanes: readonly SourceLane[];
  readonly #wishes = new Map<HashKey, Wish>();
  #holders: Holders = new Map();
  #failure: DrystoneError | undefined;
  #isEnded = false;

  constructor(private readonly options: BlockFetcherOptions) {
    const { namespaceId, sources, clock, isPaced } = options;
    const listener: LaneListener = {
      onBlock: ({ hash }, data) => this.#settle(hash, (wanted) => wanted.deliver(data)),
      onNothing: ({ hash }, error) => {
        this.#failure = error ?? this.#failure;
        this.#askNext(hash);
      },
      hasOther: ({ hash }) =>
        !isPaced && (this.#wishes.get(hashKey(hash))?.left.some(({ isDown }) => !isDown) ?? false),
    };
    this.#lanes = sources.map((source) => new SourceLane(namespaceId, source, clock, listener));
  }

  /**
   * Whether this endpoint is the first of its site to ask an agent for the block. To want those first keeps others from
   * waiting for them, and lets the rest come from endpoints that have them by then.
   */
  isFirstHere(hash: Uint8Array): boolean {
    return isFirst(
      hash,
      this.options.self,
      this.#lanes.filter(({ kind, isDown }) => kind === 'site-peer' && !isDown),
    );
  }

  /**
   * Finds out which endpoints of the site hold blocks already, so that this one need not ask an agent for them; to be called
   * before they are wanted. Never rejects.
   *
   * @param hashes read only where there is somebody to ask
   */
  async survey(hashes: Iterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const { namespaceId, sources, clock } = this.options;
    const atSite = sources.filter(({ kind, isUsable }) => kind === 'site-peer' && isUsable());
    if (atSite.length === 0) return;
    const own = [...hashes].filter((hash) => this.isFirstHere(hash));
    this.#holders = await findHolders({ namespaceId, sources: atSite, hashes: own, clock }, signal);
  }

  /** Wants a block. */
  want(block: WantedBlock): void {
    const { hash } = block;
    const key = hashKey(hash);
    const others = this.#wishes.get(key);
    if (others !== undefined) {
      others.wanted.push(block);
      return;
    }
    const { sources } = orderFor(hash, this.options.self, this.#lanes, this.#holders.get(key));
    this.#wishes.set(key, { wanted: [block], left: [...sources] });
    this.#askNext(hash);
  }

  /** No more blocks will be wanted. */
  end(): void {
    this.#isEnded = true;
    this.#endLanes();
  }

  /** Works until {@link end} was called and every block is answered. Raises only what `signal` aborts with. */
  async run(signal: AbortSignal): Promise<void> {
    // A signal each: so many listeners of one would look like a leak.
    await Promise.all(this.#lanes.map((lane) => lane.run(anySignal([signal]))));
  }

  #askNext(hash: Uint8Array): void {
    const wish = this.#wishes.get(hashKey(hash));
    const [first] = wish?.wanted ?? [];
    if (wish === undefined || first === undefined) return;
    const chosen = chooseSource(wish.left);
    const [lane] = chosen === undefined ? [] : wish.left.splice(chosen, 1);
    if (lane !== undefined) {
      lane.ask({ hash: first.hash, sizeBytes: first.sizeBytes });
      return;
    }
    const reason =
      this.#failure === undefined
        ? 'nobody who was asked has it'
        : `those that may have it cannot be reached: ${this.#failure.message}`;
    const failure = new DrystoneError('UNAVAILABLE', 'BLOCKS_UNAVAILABLE', `a block is not to be had: ${reason}`);
    this.#settle(hash, (wanted) => wanted.fail(failure));
  }

  #settle(hash: Uint8Array, settleOne: (wanted: WantedBlock) => void): void {
    const key = hashKey(hash);
    const { wanted } = this.#wishes.get(key) ?? { wanted: [] };
    this.#wishes.delete(key);
    for (const one of wanted) settleOne(one);
    this.#endLanes();
  }

  #endLanes(): void {
    if (!this.#isEnded || this.#wishes.size > 0) return;
    for (const lane of this.#lanes) lane.end();
  }
}
