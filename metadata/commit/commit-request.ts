import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { invalidArgument } from '../../common/errors.js';
import { itemFromWire } from '../../common/feed/item-codec.js';
import type { DeviceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { receiptOfMessage } from '../../common/receipt-message.js';
import type { Receipt } from '../../common/receipt.js';
import { Item as WireItem } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { CommitRequest } from '../../proto/gen/drystone/metadata/v1/commit.js';
import type { NewItem } from './decide.js';

/** What a commit message asks for, its form checked. */
export interface ParsedCommit {
  readonly items: readonly NewItem[];
  readonly receipts: readonly Receipt[];
}

/**
 * Checks everything about a commit message of the device `author` that can be checked by itself; INVALID_ARGUMENT names
 * the field.
 */
export function parseCommitRequest(request: CommitRequest, author: DeviceId): ParsedCommit {
  checkCount('items', request.items.length, wireLimits.itemsPerCommit);
  checkCount('receipts', request.receipts.length, wireLimits.receiptsPerCommit);
  const paths = new Set<string>();
  // One for all items: it keeps its buffer from one to the next, and growing it costs as much as encoding.
  const writer = new BinaryWriter();
  const items = request.items.map((wire, index) => {
    const item = itemFromWire(`items[${index}]`, wire);
    if (item.author !== author) throw invalidArgument(`items[${index}].author_device_id`, 'must be the calling device');
    if (paths.has(item.path)) throw invalidArgument(`items[${index}].path`, 'must not come twice in one message');
    paths.add(item.path);
    // Encoded anew: fields that this release does not know are left out, and the bytes are the same for the same item.
    return { item, encoded: WireItem.encode(wire, writer).finish() };
  });
  const receipts = request.receipts.map((receipt, index) => receiptOfMessage(`receipts[${index}]`, receipt));
  return { items, receipts };
}

function checkCount(field: string, count: number, max: number): void {
  if (count > max)
    throw invalidArgument(field, `must be at most ${max}, but are ${count}; send them in several messages`);
}
