import type { FileStamp } from './observation.js';
import type { CutRequest } from './cutter.js';
import type { KnownChunks } from './known-chunks.js';

/** Why nothing, or nothing to rely on, was read from a file. */
export interface FileRefusal {
  /** It changed while it was read, is gone, or may not be read. */
  readonly outcome: 'unstable' | 'vanished' | 'unreadable';
  readonly message: string;
}

/**
 * Cuts a part of a file. Stateless: a big file is a chain of such tasks, and every task answers the same on any thread.
 * All shapes here can be handed between threads.
 */
export interface SegmentTask {
  readonly absolutePath: string;
  readonly stamp: FileStamp;
  /** Where to begin: a chunk boundary, or any other place, from where the cuts are then only guessed. */
  readonly startBytes: number;
  /** The task goes on until a chunk ends here or later, or the file does. */
  readonly stopBytes: number;
  /**
   * Go on behind `stopBytes` until a chunk ends where one would end as well if the cutting had begun anew at `stopBytes`,
   * but not further than this behind it. From there on both are one, so what another task cuts from `stopBytes` continues
   * this one. 0 where no other task does.
   */
  readonly meetWithinBytes: number;
  /** What the file held thereabouts when it was last cut: recognised without looking for places to cut at. */
  readonly known: KnownChunks;
}

/** One chunk of a segment. */
export interface CutChunk {
  readonly sizeBytes: number;
  /** The bytes, in memory of their own; absent for a chunk that was known. */
  readonly data: Uint8Array<ArrayBuffer> | undefined;
}

/** The chunks of one segment, in order, without gaps. */
export interface CutSegment {
  readonly outcome: 'cut';
  readonly startBytes: number;
  /** Where the last chunk ends. */
  readonly endBytes: number;
  /** Whether `endBytes` is such a meeting point. */
  readonly met: boolean;
  /** How far behind its former place the last known chunk lies; undefined where none was found. */
  readonly movedBytes: number | undefined;
  /** Packed hashes of the chunks. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** Whoever hands their bytes on takes the chunks out, so that none is kept for the others. */
  readonly chunks: CutChunk[];
}

export type SegmentResult = CutSegment | FileRefusal;

/** Reads and hashes files that are one block each. */
export interface SmallFilesTask {
  readonly requests: readonly CutRequest[];
}

/** The files of a {@link SmallFilesTask}, those that were refused left out of `hashes` and `data`. */
export interface SmallFilesResult {
  /** By index of the request. */
  readonly refusals: readonly { readonly index: number; readonly refusal: FileRefusal }[];
  /** Packed hashes of the others that are not empty, in order. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** Their bytes, one file after the other. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Runs tasks, here or on other threads. Rejects only where a task could not be run at all. */
export interface CutTaskRunner {
  /** How many tasks run at once. */
  readonly threads: number;
  cutSegment(task: SegmentTask): Promise<SegmentResult>;
  cutSmallFiles(task: SmallFilesTask): Promise<SmallFilesResult>;
  close(): Promise<void>;
}
