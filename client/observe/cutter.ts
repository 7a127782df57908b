import type { Blocklist } from '../../common/feed/item.js';
import type { FileStamp } from './observation.js';

/** A file to be cut into blocks and hashed. */
export interface CutRequest {
  readonly absolutePath: string;
  readonly stamp: FileStamp;
  /** What it was cut into before, where that is known: most of it may be so again. */
  readonly known?: Blocklist | undefined;
}

/** A block as it was cut. */
export interface CutBlock {
  /** 32 bytes. */
  readonly hash: Buffer;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** The bytes that were hashed; absent for a block that was known before, which need not travel, as a rule. */
  readonly data: Buffer | undefined;
}

/** What became of one small file. */
export type SmallFileCut =
  | { readonly outcome: 'cut'; /** Absent for an empty file. */ readonly block: CutBlock | undefined }
  /** It is gone, or changed while it was read, or may not be read; try after the next scan. */
  | { readonly outcome: 'unstable' | 'vanished' | 'unreadable'; readonly message: string };

/** Cuts files by content (FastCDC 2020) and hashes the blocks, on worker threads. */
export interface Cutter {
  /**
   * The blocks of one file in order; none of an empty file. A file is read ahead of the consumer by one task of
   * `clientLimits.cutTaskBytes`; a big one that is cut alone by at most one of `cutSegmentBytes` for each thread. A block's
   * `data` owns its memory: keeping it keeps nothing else alive. What the request says to know changes no block, only the work,
   * if it was cut by a cutter like this one.
   *
   * Raises FAILED_PRECONDITION (FILE_UNSTABLE) where the file is no longer as `stamp` says when its last byte has been
   * read, or is gone; PERMISSION_DENIED (FILE_UNREADABLE) where it may not be read; CANCELLED when `signal` aborts. What
   * was yielded before an error must be forgotten.
   */
  cutFile(request: CutRequest, signal: AbortSignal): AsyncIterable<CutBlock>;
  /**
   * Files no larger than `chunking.minBytes`, each one block, in one task; the results in the order of the requests. At
   * most `clientLimits.cutTaskFiles` requests and `clientLimits.cutTaskBytes` together.
   */
  cutSmallFiles(requests: readonly CutRequest[]): Promise<readonly SmallFileCut[]>;
  close(): Promise<void>;
}
