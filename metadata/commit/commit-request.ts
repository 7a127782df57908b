import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { DrystoneError, invalidArgument } from '../../common/errors.js';
import { itemFromWire } from '../../common/feed/item-codec.js';
import { statesOf } from '../../common/feed/item.js';
import { metadataLimits, wireLimits } from '../../common/limits.js';
import { receiptOfMessage } from '../../common/receipt-message.js';
import type { Receipt } from '../../common/receipt.js';
import { Item as WireItem, type PushRequest } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { NewItem } from './decide.js';

/** What a commit message asks for, its form checked. */
export interface ParsedCommit {
  readonly items: readonly NewItem[];
  readonly receipts: readonly Receipt[];
}

/** Checks everything about a commit message that can be checked by itself; INVALID_ARGUMENT names the field. */
export function parseCommitRequest(request: PushRequest): ParsedCommit {
  checkCount('items', request.items.length, wireLimits.itemsPerCommit);
  checkCount('receipts', request.receipts.length, wireLimits.receiptsPerCommit);
  const paths = new Set<string>();
  // One for all items: it keeps its buffer from one to the next, and growing it costs as much as encoding.
  const writer = new BinaryWriter();
  const items = request.items.map((wire, index) => {
    const item = itemFromWire(`items[${index}]`, wire);
    if (paths.has(item.path)) throw invalidArgument(`items[${index}].path`, 'must not come twice in one message');
    paths.add(item.path);
    // Encoded anew: fields that this release does not know are left out, and the bytes are the same for the same item.
    return { item, encoded: WireItem.encode(wire, writer).finish() };
  });
  const receipts = request.receipts.map((receipt, index) => receiptOfMessage(`receipts[${index}]`, receipt));
  return { items, receipts };
}

/**
 * Refuses changes that say they were made more than `metadataLimits.changeAheadMs` after `nowMs`, with FAILED_PRECONDITION
 * (CLOCK_AHEAD): they would stand over all others until that time has come.
 */
export function checkTimes(items: readonly NewItem[], nowMs: number): void {
  for (const { item } of items) {
    for (const { at } of statesOf(item)) {
      if (at.wallMs - nowMs <= metadataLimits.changeAheadMs) continue;
      const aheadS = Math.round((at.wallMs - nowMs) / 1000);
      const message = `the change of ${item.path} was made ${aheadS} s ahead of the service's clock; set the device's clock`;
      throw new DrystoneError('FAILED_PRECONDITION', 'CLOCK_AHEAD', message);
    }
  }
}

function checkCount(field: string, count: number, max: number): void {
  if (count > max)
    throw invalidArgument(field, `must be at most ${max}, but are ${count}; send them in several messages`);
}
