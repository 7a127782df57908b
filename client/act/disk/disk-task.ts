import type { FileHandle } from 'node:fs/promises';
import type { ItemPath } from '../../../common/feed/item.js';
import type { Observation } from '../../observe/observation.js';

/**
 * The steps between which a crash must leave nothing half done. Tests end a client at each of them.
 */
export type DiskStep =
  'temporary-written' | 'temporary-synced' | 'file-placed' | 'directories-synced' | 'folder-changed';

/** Told of every step when it is done. */
export type StepHook = (step: DiskStep) => void;

/** What stands at a path, or undefined where nothing does. */
export type Standing = Observation | undefined;

/** Where an entry lies: its path in the namespace, and how this disk calls it, relative to the root. */
export interface Place {
  readonly path: ItemPath;
  readonly diskPath: string;
}

/** A file that takes its place, over what stands there now. */
export interface PlacedFile extends Place {
  /** Its name in the directory for temporary files. */
  readonly temporaryName: string;
  /** Where its bytes are in the task's content; absent where the temporary file has been written already. */
  readonly bytes?: { readonly offset: number; readonly sizeBytes: number };
  readonly modifiedAtMs: number;
  readonly executable: boolean;
  /** What is expected to stand at the place: nothing, a file or a symlink. */
  readonly replaces: Standing;
}

export interface PlaceFilesTask {
  /** Absolute. */
  readonly root: string;
  /** Absolute, on the same file system as the root. */
  readonly temporaryDirectory: string;
  readonly files: readonly PlacedFile[];
  /** The bytes of all files that have some here. */
  readonly content: ArrayBuffer;
}

/** One change of the folder that moves no content into it. */
export type FolderChange =
  | ({ readonly change: 'make-directory' } & Place)
  | ({
      readonly change: 'make-symlink';
      readonly target: string;
      readonly temporaryName: string;
      readonly replaces: Standing;
    } & Place)
  | ({ readonly change: 'remove'; readonly replaces: Observation } & Place)
  | ({
      readonly change: 'rename';
      readonly to: Place;
      readonly replaces: Observation;
      /** What stands at the new place and goes; nothing does where it is not set. */
      readonly over?: Observation;
    } & Place)
  | ({
      readonly change: 'set-attributes';
      readonly modifiedAtMs: number;
      readonly executable: boolean;
      readonly replaces: Observation;
    } & Place);

export interface ChangeFolderTask {
  readonly root: string;
  readonly temporaryDirectory: string;
  /** Carried out one after the other. */
  readonly changes: readonly FolderChange[];
}

/** A block that a file of this disk is believed to hold. */
export interface BlockCopy {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly sizeBytes: number;
  readonly sourceOffset: number;
  readonly targetOffset: number;
}

export interface CopyBlocksTask {
  /** Absolute paths; the target exists. */
  readonly source: string;
  readonly target: string;
  readonly blocks: readonly BlockCopy[];
}

/** What became of one file or change. */
export type DiskOutcome =
  /** It is done and durable; this is what stands at the place (for a rename: at the new one). */
  { readonly outcome: 'done'; readonly entry: Standing } | DiskRefusal;

/** Why something was not done; the folder was left as it is. */
export type DiskRefusal =
  /** The folder is not as was expected: look again. */
  | { readonly outcome: 'changed' }
  /** The file system refuses it: trying again as it is would not help. For people. */
  | { readonly outcome: 'refused'; readonly problem: string }
  /** The disk is full or failing: later it may work. For people. */
  | { readonly outcome: 'postponed'; readonly problem: string };

/** What became of the blocks of a {@link CopyBlocksTask}. */
export type CopyOutcome =
  /** Those with these indexes were not as believed and were not written; all others were. */
  { readonly outcome: 'done'; readonly wrong: readonly number[] } | DiskRefusal;

/** A file that is open to be filled, of the size that it will have in the end. */
export interface OpenPartial {
  readonly handle: Pick<FileHandle, 'datasync' | 'close'> & {
    write(
      data: Uint8Array,
      offset: number,
      length: number,
      position: number,
    ): Promise<{ readonly bytesWritten: number }>;
  };
  /** Whether an earlier attempt has left something in it. */
  readonly isResumed: boolean;
}

/**
 * The only hands that change the folder. They never write outside the root, follow no symlink on the way, and touch an
 * entry only while it is the one that the task expects. Outcomes are in the order of the task.
 */
export interface Disk {
  /**
   * Gives files their place: written under a temporary name, attributes set, synced, renamed, directories synced. All
   * files of one task share the syncs, so many small ones belong together.
   */
  placeFiles(task: PlaceFilesTask): Promise<readonly DiskOutcome[]>;
  /** Makes the changes; durable when it resolves. */
  changeFolder(task: ChangeFolderTask): Promise<readonly DiskOutcome[]>;
  /**
   * Copies blocks from one file to another, each verified as it is read. A block that is to be copied onto itself is only
   * verified.
   */
  copyBlocks(task: CopyBlocksTask): Promise<CopyOutcome>;
  /** Opens a file in the directory for temporary files to be filled; raises what the file system raises. */
  openPartial(path: string, sizeBytes: number): Promise<OpenPartial>;
  /** Removes from `directory` what {@link openPartial} has made there, but for the files named. */
  removePartials(directory: string, except: ReadonlySet<string>): Promise<void>;
  /** Bytes that this process may still use on the disk of `directory`, now; infinite where the system does not say. Never rejects. */
  freeBytes(directory: string): Promise<number>;
  /** Bytes of the disk that the file at `path` takes, none where there is none. Never rejects. */
  heldBytes(path: string): Promise<number>;
  close(): Promise<void>;
}
