import type { DrystoneError } from '../../../common/errors.js';
import type { BlockClient } from '../../../server/block-client.js';
import type { RankedSource } from './source-order.js';

/** One place to fetch from. */
export interface BlockSource extends RankedSource {
  readonly blocks: BlockClient;
  /** Whether it is to be asked at all: not while it is left alone for what it did. */
  readonly isUsable: () => boolean;
  /** It sent a block of this many bytes. */
  readonly onFetched: (sizeBytes: number) => void;
  /** It broke off, stalled, or sent what it should not. */
  readonly onFailure: (error: DrystoneError) => void;
}
