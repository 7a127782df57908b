import type { DrystoneError } from '../../common/errors.js';
import type { AgentId } from '../../common/ids.js';
import type { Receipt } from '../../common/receipt.js';
import type { Item as WireItem, PushResponse } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { BlockClient } from '../../server/block-client.js';

/** The agent that an upload's blocks go to. */
export interface Target {
  readonly agentId: AgentId;
  readonly blocks: BlockClient;
  /** For each packed list of hashes, in order: those that the target lacks for the namespace, packed. */
  missing(lists: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>;
  /** It broke off: the next upload had better go elsewhere. Returns whether there is an elsewhere now. */
  readonly onFailure: (error: DrystoneError) => boolean;
}

/** What is said at once: one transaction of whoever takes it. */
export interface PushMessage {
  readonly items: readonly WireItem[];
  /** None where the upstream is provisional: it has no use for them. */
  readonly receipts: readonly Receipt[];
}

/** Where changes of the folder go. One upload has one upstream from its beginning to its end. */
export interface Upstream {
  /** Whether what it takes is on its way to metadata only: metadata is not known to have it. */
  readonly isProvisional: boolean;
  /** Whether blocks go anywhere. Where not they stay in the files of the folder: none is asked about, read to be sent, or sent. */
  readonly takesBlocks: boolean;
  /**
   * Chooses where the blocks go, by `sample`, packed hashes of the first of them. Raises UNAVAILABLE (AGENTS_TOO_FEW) where
   * no agent holds the namespace. Not to be called unless `takesBlocks`.
   */
  chooseTarget(sample: Uint8Array, signal: AbortSignal): Promise<Target>;
  /** Takes messages; one answer each, in order, when it is durable. Errors are those of FeedService.Push. */
  push(messages: AsyncIterable<PushMessage>, signal: AbortSignal): AsyncGenerator<PushResponse, void, undefined>;
}
