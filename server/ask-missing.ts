import { checkPackedHashes } from '../common/block-hash.js';
import { DrystoneError } from '../common/errors.js';
import type { NamespaceId } from '../common/ids.js';
import type { BlockCalls } from './block-codec.js';
import type { SharedSource } from './shared-source.js';
import type { StreamTurn } from './stream-turns.js';

/**
 * Asks which blocks are missing over one has stream until its turn is over, first about those lists that an earlier
 * stream has not answered; `BlockClient.missing` says what it promises.
 */
export async function* askMissing(
  calls: BlockCalls,
  namespaceId: NamespaceId,
  asked: AskedLists,
  turn: StreamTurn,
): AsyncGenerator<Uint8Array, void, undefined> {
  const requests = turn.requests(asked.requests(namespaceId, turn.over));
  for await (const { missingHashes } of calls.hasBlocks(requests, turn.options)) {
    checkPackedHashes('missing_hashes', missingHashes);
    asked.answer();
    yield missingHashes;
  }
  if (asked.count > 0) {
    const message = `the block server left ${asked.count} lists unanswered; it is broken or of another release`;
    throw new DrystoneError('INTERNAL', 'INTERNAL', message);
  }
}

/** The lists asked about and not answered, in their order. */
export class AskedLists {
  readonly #lists: Uint8Array[] = [];

  readonly isRepeatable = true;

  constructor(private readonly source: SharedSource<Uint8Array>) {}

  get count(): number {
    return this.#lists.length;
  }

  async *requests(
    namespaceId: NamespaceId,
    over: AbortSignal,
  ): AsyncGenerator<{ namespaceId: NamespaceId; hashes: Uint8Array }, void, undefined> {
    for (const hashes of [...this.#lists]) yield { namespaceId, hashes };
    for await (const hashes of this.source.until(over)) {
      checkPackedHashes('hashes', hashes);
      this.#lists.push(hashes);
      yield { namespaceId, hashes };
    }
  }

  /** The list that has waited longest is answered. */
  answer(): void {
    this.#lists.shift();
  }
}
