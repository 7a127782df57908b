import { HASH_BYTES, hashAt, hashCount, hashKey, hashKeyAt, type HashKey } from '../../../common/block-hash.js';
import { ChangeSignal } from '../../../common/concurrency/change-signal.js';
import { entryFromWire, itemToWire } from '../../../common/feed/item-codec.js';
import { statesOf, type Item, type ItemPath } from '../../../common/feed/item.js';
import { blockCount, hasSeen } from '../../../common/feed/merge.js';
import { parseCursor, type Cursor } from '../../../common/ids.js';
import { clientLimits, wireLimits } from '../../../common/limits.js';
import type { Receipt } from '../../../common/receipt.js';
import type { PushResponse } from '../../../proto/gen/drystone/feed/v1/feed.js';
import type { PushMessage, Upstream } from '../../upstream/upstream.js';
import { SlotGate } from '../slot-gate.js';
import type { ReadyItem, UploadOutcome } from './pending-item.js';

export interface CommitSenderParts {
  readonly upstream: Pick<Upstream, 'push' | 'isProvisional'>;
  /** These items are about to be sent: they are, once this has resolved. */
  readonly onOffer: (items: readonly ReadyItem[]) => Promise<void>;
  /** Looks at what a path holds in the place of what was sent, or beside it, before anything is made of it; may raise. */
  readonly checkHeld: (item: Item) => void;
  /** What became of items, as the upstream says it; in the order of the messages. */
  readonly onOutcomes: (outcomes: readonly UploadOutcome[]) => void;
  /** The upstream has these receipts. */
  readonly onRecorded: (receipts: readonly Receipt[]) => void;
  /** Metadata's last cursor after a commit. */
  readonly onCursor: (cursor: Cursor) => void;
}

/** Items that enter the feed together or not at all, and in this order. */
type Group = readonly ReadyItem[];

interface Message {
  readonly groups: readonly Group[];
  readonly receipts: readonly Receipt[];
}

/**
 * Takes items and receipts to the upstream, in messages of as many as have come together while the last one was under way. An
 * item never travels before the receipts that came before it.
 */
export class CommitSender {
  readonly #groups: Group[] = [];
  readonly #receipts: Receipt[] = [];
  readonly #sent: Message[] = [];
  readonly #news = new ChangeSignal();
  readonly #sending = new SlotGate(clientLimits.commitsInFlight);
  #isEnded = false;

  constructor(private readonly parts: CommitSenderParts) {}

  add(group: Group): void {
    this.#groups.push(group);
    this.#news.notify();
  }

  addReceipt(receipt: Receipt): void {
    this.#receipts.push(receipt);
    this.#news.notify();
  }

  /** No more will come. */
  end(): void {
    this.#isEnded = true;
    this.#news.notify();
  }

  /** Works until {@link end} was called and everything was taken. Raises the errors of the upstream, and of `checkHeld`. */
  async run(signal: AbortSignal): Promise<void> {
    const { upstream } = this.parts;
    for await (const response of upstream.push(this.#messages(signal), signal)) {
      const message = this.#sent.shift() ?? { groups: [], receipts: [] };
      this.parts.onRecorded(message.receipts);
      if (!upstream.isProvisional) this.parts.onCursor(parseCursor('cursor', response.cursor));
      const outcomes = this.#outcomesOf(message.groups, response);
      if (outcomes.length > 0) this.parts.onOutcomes(outcomes);
      this.#sending.leave();
      this.#news.notify();
    }
  }

  async *#messages(signal: AbortSignal): AsyncGenerator<PushMessage, void, undefined> {
    while (!signal.aborted) {
      await this.#sending.enter();
      const message = await this.#nextMessage(signal);
      if (message === undefined) return;
      const items = message.groups.flat();
      if (items.length > 0) await this.parts.onOffer(items);
      this.#sent.push(message);
      yield { items: items.map(({ item }) => itemToWire(item)), receipts: message.receipts };
    }
  }

  async #nextMessage(signal: AbortSignal): Promise<Message | undefined> {
    for (;;) {
      const news = this.#news.arm(signal);
      if (signal.aborted) return undefined;
      if (this.#receipts.length > 0 || this.#groups.length > 0) {
        const receipts = this.#takeReceipts();
        return { receipts, groups: this.#receipts.length > 0 ? [] : this.#takeGroups() };
      }
      // An item on its way may have to be sent again.
      if (this.#isEnded && this.#sent.length === 0) return undefined;
      await news;
    }
  }

  #takeReceipts(): Receipt[] {
    let bytes = 0;
    const fitting = this.#receipts.findIndex((receipt, index) => {
      bytes += receipt.hashes.length;
      return index >= wireLimits.receiptsPerCommit || (index > 0 && bytes > clientLimits.commitMessageBytes);
    });
    return this.#receipts.splice(0, fitting < 0 ? this.#receipts.length : fitting);
  }

  #takeGroups(): Group[] {
    const groups: Group[] = [];
    const paths = new Set<ItemPath>();
    let bytes = 0;
    for (let group = this.#groups[0]; group !== undefined; group = this.#groups[0]) {
      for (const { item } of group) bytes += blockCount(item) * HASH_BYTES;
      const fits = paths.size + group.length <= wireLimits.itemsPerCommit && bytes <= clientLimits.commitMessageBytes;
      if (groups.length > 0 && (!fits || isSettlement(group) || group.some(({ item }) => paths.has(item.path)))) break;
      this.#groups.shift();
      groups.push(group);
      if (isSettlement(group)) break;
      for (const { item } of group) paths.add(item.path);
    }
    return groups;
  }

  #outcomesOf(groups: readonly Group[], { missingHashes, merged }: PushResponse): UploadOutcome[] {
    if (missingHashes.length > 0) return this.#withoutMissing(groups, missingHashes);
    const { isProvisional } = this.parts.upstream;
    const answers = new Map(merged.map(({ index, current }) => [index, current]));
    return groups.flat().map((ready, index): UploadOutcome => {
      const { item } = ready;
      if (!answers.has(index)) return { outcome: 'committed', held: item, isProvisional, ...ready };
      const current = answers.get(index);
      const held = current && entryFromWire(`merged[${index}].current`, current).item;
      if (held !== undefined) this.parts.checkHeld(held);
      if (held === undefined || !hasSeen(held, item)) return { outcome: 'declined', held, ...ready };
      return { outcome: 'committed', held, isProvisional, ...ready };
    });
  }

  /** Nothing was committed: groups that lack no block are sent again, the rest has to be uploaded again. */
  #withoutMissing(groups: readonly Group[], missingHashes: Uint8Array): UploadOutcome[] {
    const missing = new Set<HashKey>();
    for (let index = 0; index < hashCount(missingHashes); index++) missing.add(hashKey(hashAt(missingHashes, index)));
    const lacking = groups.filter((group) => group.some((ready) => lacks(ready, missing)));
    // An answer that names none of our blocks must not keep us sending the same for ever.
    const dropped = new Set(lacking.length > 0 ? lacking : groups);
    this.#groups.unshift(...groups.filter((group) => !dropped.has(group)));
    return [...dropped].flat().map((ready) => ({ outcome: 'missing', ...ready }));
  }
}

function lacks({ item }: ReadyItem, missing: ReadonlySet<HashKey>): boolean {
  return statesOf(item).some(({ content }) => {
    if (content.kind !== 'file') return false;
    const { hashes } = content.blocks;
    for (let index = 0; index < hashCount(hashes); index++) if (missing.has(hashKeyAt(hashes, index))) return true;
    return false;
  });
}

/**
 * What settles a conflict is a message by itself: an agent passes on a message of which it has taken something, whole, and metadata
 * then takes copies that the agent had not.
 */
function isSettlement(group: Group): boolean {
  return group.some(({ operation }) => operation.kind === 'settle');
}
