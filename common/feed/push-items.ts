import type { PushRequest } from '../../proto/gen/drystone/feed/v1/feed.js';
import { DrystoneError, invalidArgument } from '../errors.js';
import { feedLimits, wireLimits } from '../limits.js';
import { encodeWireItems } from './endorsement.js';
import { itemFromWire } from './item-codec.js';
import { statesOf, type Item } from './item.js';

/** An item that somebody pushes, or that is held. */
export interface NewItem {
  readonly item: Item;
  /** Its protobuf encoding. */
  readonly encoded: Uint8Array;
}

/**
 * The items of a push message, everything about them checked that can be checked by itself; INVALID_ARGUMENT names the
 * field. Encoded anew: the bytes are the same for the same item.
 */
export function parsePushedItems({ items }: Pick<PushRequest, 'items'>): NewItem[] {
  if (items.length > wireLimits.itemsPerCommit) {
    const problem = `must be at most ${wireLimits.itemsPerCommit}, but are ${items.length}; send them in several messages`;
    throw invalidArgument('items', problem);
  }
  const paths = new Set<string>();
  const parsed = items.map((wire, index) => {
    const item = itemFromWire(`items[${index}]`, wire);
    if (paths.has(item.path)) throw invalidArgument(`items[${index}].path`, 'must not come twice in one message');
    paths.add(item.path);
    return item;
  });
  const encoded = encodeWireItems(items);
  return parsed.map((item, index) => ({ item, encoded: encoded[index] ?? new Uint8Array(0) }));
}

/**
 * Refuses changes that say they were made more than `feedLimits.changeAheadMs` after `nowMs`, with FAILED_PRECONDITION
 * (CLOCK_AHEAD): they would stand over all others until that time has come.
 */
export function checkTimes(items: readonly Item[], nowMs: number): void {
  for (const item of items) {
    for (const { at } of statesOf(item)) {
      if (at.wallMs - nowMs <= feedLimits.changeAheadMs) continue;
      const aheadS = Math.round((at.wallMs - nowMs) / 1000);
      const message = `the change of ${item.path} was made ${aheadS} s ahead of the service's clock; set the device's clock`;
      throw new DrystoneError('FAILED_PRECONDITION', 'CLOCK_AHEAD', message);
    }
  }
}
