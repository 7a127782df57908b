import type { Writable } from 'node:stream';
import type { FeedEntry, ItemPath } from '../common/feed/item.js';
import type { AccountName, NamespaceName, PremisesName } from '../common/ids.js';
import type { ProgramContext } from '../common/program/context.js';

/** What reading a namespace without syncing it needs to know. */
export interface ReadConfig {
  readonly namespace: NamespaceName;
  readonly account: AccountName;
  /** HOST:PORT of the metadata service. */
  readonly metadata: string;
  /** The site whose agents are preferred, or undefined for no preference. */
  readonly premises: PremisesName | undefined;
  /** Where the device's key lies, `device.key`; made on first use. */
  readonly homeDir: string;
}

/**
 * The items at or below `prefix` (all where it is empty), deletions left out, in the order of their last change. Raises
 * NOT_FOUND (NAMESPACE_UNKNOWN).
 */
export declare function listItems(
  config: ReadConfig,
  context: ProgramContext,
  prefix: ItemPath | '',
): AsyncGenerator<FeedEntry, void, undefined>;

/**
 * Writes the content of the file at `path` to `sink`, in order and verified, taking each block from another agent where
 * one lacks it; `sink` is not ended. Returns the size in bytes. Raises NOT_FOUND (ITEM_UNKNOWN) where there is no file, and
 * UNAVAILABLE (BLOCKS_UNAVAILABLE) where no agent has a block.
 */
export declare function readFile(
  config: ReadConfig,
  context: ProgramContext,
  path: ItemPath,
  sink: Writable,
): Promise<{ readonly sizeBytes: number }>;
