import { hashAt, hashCount, hashKey, hashKeyAt, type HashKey } from '../../../common/block-hash.js';
import { ChangeSignal } from '../../../common/concurrency/change-signal.js';
import { entryFromWire, itemToWire } from '../../../common/feed/item-codec.js';
import { parseCursor, type Cursor, type NamespaceId } from '../../../common/ids.js';
import { clientLimits, wireLimits } from '../../../common/limits.js';
import { receiptToMessage } from '../../../common/receipt-message.js';
import type { Receipt } from '../../../common/receipt.js';
import type { CommitRequest, CommitResponse } from '../../../proto/gen/drystone/metadata/v1/commit.js';
import type { MetadataCalls } from '../../connection/metadata-calls.js';
import { SlotGate } from '../slot-gate.js';
import type { ReadyItem, UploadOutcome } from './pending-item.js';

export interface CommitSenderParts {
  readonly namespaceId: NamespaceId;
  readonly commit: MetadataCalls['commit'];
  /** What became of items, as metadata says it; in the order of the messages. */
  readonly onOutcomes: (outcomes: readonly UploadOutcome[]) => void;
  /** Metadata has these receipts. */
  readonly onRecorded: (receipts: readonly Receipt[]) => void;
  /** The feed's last cursor after a commit. */
  readonly onCursor: (cursor: Cursor) => void;
}

interface Message {
  readonly items: readonly ReadyItem[];
  readonly receipts: readonly Receipt[];
}

/**
 * Takes items and receipts to metadata, in messages of as many as have come together while the last one was under way. An
 * item never travels before the receipts that came before it.
 */
export class CommitSender {
  /** Groups that stay together in one message. */
  readonly #groups: (readonly ReadyItem[])[] = [];
  readonly #receipts: Receipt[] = [];
  readonly #sent: Message[] = [];
  readonly #news = new ChangeSignal();
  readonly #sending = new SlotGate(clientLimits.commitsInFlight);
  #isEnded = false;

  constructor(private readonly parts: CommitSenderParts) {}

  /** Items that enter the feed together and in this order. */
  add(group: readonly ReadyItem[]): void {
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

  /** Works until {@link end} was called and everything is committed. Raises the errors of metadata. */
  async run(signal: AbortSignal): Promise<void> {
    for await (const response of this.parts.commit.commit(this.#requests(signal), { signal })) {
      const message = this.#sent.shift() ?? { items: [], receipts: [] };
      this.parts.onRecorded(message.receipts);
      this.parts.onCursor(parseCursor('cursor', response.cursor));
      const outcomes = this.#outcomesOf(message.items, response);
      if (outcomes.length > 0) this.parts.onOutcomes(outcomes);
      this.#sending.leave();
      this.#news.notify();
    }
  }

  async *#requests(signal: AbortSignal): AsyncGenerator<CommitRequest, void, undefined> {
    while (!signal.aborted) {
      await this.#sending.enter();
      const message = await this.#nextMessage(signal);
      if (message === undefined) return;
      this.#sent.push(message);
      yield {
        namespaceId: this.parts.namespaceId,
        items: message.items.map(({ item }) => itemToWire(item)),
        receipts: message.receipts.map(receiptToMessage),
      };
    }
  }

  async #nextMessage(signal: AbortSignal): Promise<Message | undefined> {
    for (;;) {
      const news = this.#news.arm(signal);
      if (signal.aborted) return undefined;
      if (this.#receipts.length > 0 || this.#groups.length > 0) {
        const receipts = this.#takeReceipts();
        return { receipts, items: this.#receipts.length > 0 ? [] : this.#takeItems() };
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

  #takeItems(): ReadyItem[] {
    const items: ReadyItem[] = [];
    let bytes = 0;
    for (let group = this.#groups[0]; group !== undefined; group = this.#groups[0]) {
      for (const { item } of group) bytes += item.content.kind === 'file' ? item.content.blocks.hashes.length : 0;
      const fits = items.length + group.length <= wireLimits.itemsPerCommit && bytes <= clientLimits.commitMessageBytes;
      if (items.length > 0 && !fits) break;
      this.#groups.shift();
      items.push(...group);
    }
    return items;
  }

  #outcomesOf(items: readonly ReadyItem[], response: CommitResponse): UploadOutcome[] {
    const { missingHashes, conflicts } = response;
    if (missingHashes.length > 0) return this.#withoutMissing(items, missingHashes);
    const current = new Map(conflicts.map(({ index, current }) => [index, current]));
    return items.map((ready, index): UploadOutcome => {
      const entry = current.get(index);
      if (entry === undefined) return { outcome: 'committed', ...ready };
      return { outcome: 'conflict', current: entryFromWire(`conflicts[${index}].current`, entry).item, ...ready };
    });
  }

  /** Nothing was committed: what does not lack a block is sent again, the rest has to be uploaded again. */
  #withoutMissing(items: readonly ReadyItem[], missingHashes: Uint8Array): UploadOutcome[] {
    const missing = new Set<HashKey>();
    for (let index = 0; index < hashCount(missingHashes); index++) missing.add(hashKey(hashAt(missingHashes, index)));
    const lacking = items.filter((ready) => lacks(ready, missing));
    // An answer that names none of our blocks must not keep us sending the same for ever.
    const dropped = new Set(lacking.length > 0 ? lacking : items);
    this.#groups.unshift(...items.filter((ready) => !dropped.has(ready)).map((ready) => [ready]));
    return [...dropped].map(({ item }) => ({ outcome: 'missing', path: item.path }));
  }
}

function lacks({ item: { content } }: ReadyItem, missing: ReadonlySet<HashKey>): boolean {
  if (content.kind !== 'file') return false;
  const { hashes } = content.blocks;
  for (let index = 0; index < hashCount(hashes); index++) if (missing.has(hashKeyAt(hashes, index))) return true;
  return false;
}
