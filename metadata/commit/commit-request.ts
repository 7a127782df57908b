import { invalidArgument } from '../../common/errors.js';
import { parsePushedItems, type NewItem } from '../../common/feed/push-items.js';
import { wireLimits } from '../../common/limits.js';
import { receiptOfMessage } from '../../common/receipt-message.js';
import type { Receipt } from '../../common/receipt.js';
import type { PushRequest } from '../../proto/gen/drystone/feed/v1/feed.js';

/** What a commit message asks for, its form checked. */
export interface ParsedCommit {
  readonly items: readonly NewItem[];
  readonly receipts: readonly Receipt[];
}

/** Checks everything about a commit message that can be checked by itself; INVALID_ARGUMENT names the field. */
export function parseCommitRequest(request: PushRequest): ParsedCommit {
  const { receiptsPerCommit } = wireLimits;
  const count = request.receipts.length;
  if (count > receiptsPerCommit) {
    throw invalidArgument(
      'receipts',
      `must be at most ${receiptsPerCommit}, but are ${count}; send them in several messages`,
    );
  }
  const items = parsePushedItems(request);
  const receipts = request.receipts.map((receipt, index) => receiptOfMessage(`receipts[${index}]`, receipt));
  return { items, receipts };
}
