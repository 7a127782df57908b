import { asBuffer, HASH_BYTES } from '../../../common/block-hash.js';
import type { Blocklist, Item } from '../../../common/feed/item.js';
import { NO_BLOCKS } from '../../../common/feed/item.js';
import type { CutBlock } from '../../observe/cutter.js';
import type { CommitItem, Settle } from '../../plan/operation.js';
import type { LocalEntry, LocalFile } from '../../state/local-entry.js';

/** An item that is ready to be sent once its blocks are stored. */
export interface ReadyItem {
  readonly operation: CommitItem | Settle;
  readonly item: Item;
  /** What the folder holds at the path, with its blocks; undefined for a deletion, and where nothing of the folder is sent. */
  readonly entry: LocalEntry | undefined;
}

/** What became of an operation of an upload. */
export type UploadOutcome =
  /**
   * The upstream has it; `held` is what its path holds there now, which may be more than was sent. Where the upstream is
   * provisional, metadata is not known to have it.
   */
  | ({ readonly outcome: 'committed'; readonly held: Item; readonly isProvisional: boolean } & ReadyItem)
  /** The upstream did not take it; `held` is what its path holds, if anything. */
  | ({ readonly outcome: 'declined'; readonly held: Item | undefined } & ReadyItem)
  /** The file was read; there is nothing, or nothing now, to commit. */
  | { readonly outcome: 'read'; readonly entry: LocalEntry }
  /** The file is no longer as it was observed: look again. */
  | { readonly outcome: 'changed'; readonly path: LocalEntry['path'] }
  /** The file cannot be read. For people. */
  | { readonly outcome: 'refused'; readonly path: LocalEntry['path']; readonly problem: string }
  /** Blocks that the target was believed to hold are not there. */
  | ({ readonly outcome: 'missing' } & ReadyItem);

/** A file on its way: its blocks as they are cut, and how many of them are not known to be stored. */
export class PendingFile {
  readonly #hashes: Uint8Array[] = [];
  readonly #sizes: number[] = [];
  #open = 0;
  #isCut = false;
  #isAbandoned = false;

  /** @param onStored called once, when the last block has been cut and all are stored. */
  constructor(
    readonly file: LocalFile,
    /** What the file was cut into before. */
    readonly known: Blocklist | undefined,
    private readonly onStored: (blocks: Blocklist) => void,
  ) {}

  /** A block was cut; it is open until {@link blockStored}. */
  addBlock({ hash, sizeBytes }: CutBlock): void {
    this.#hashes.push(hash);
    this.#sizes.push(sizeBytes);
    this.#open++;
  }

  blockStored(): void {
    this.#open--;
    this.#settle();
  }

  /** The last block has been cut, and the file is still as it was when the first was. */
  finishCut(): void {
    this.#isCut = true;
    this.#settle();
  }

  /** What was cut is not worth committing. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  #settle(): void {
    if (this.#isCut && this.#open === 0 && !this.#isAbandoned) this.onStored(packed(this.#hashes, this.#sizes));
  }
}

/** Hashes and sizes as a blocklist. */
function packed(hashes: readonly Uint8Array[], sizes: readonly number[]): Blocklist {
  if (hashes.length === 0) return NO_BLOCKS;
  return { hashes: asBuffer(Buffer.concat(hashes, hashes.length * HASH_BYTES)), sizes };
}
