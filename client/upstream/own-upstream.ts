import { DrystoneError } from '../../common/errors.js';
import { pushResponseOf } from '../../common/feed-service/feed-methods.js';
import { contentsNeeded, decidePush, type CurrentItem, type PushBatch } from '../../common/feed/decide-push.js';
import { encodeItem } from '../../common/feed/item-codec.js';
import { EMPTY_FEED } from '../../common/feed/placement.js';
import { parsePushedItems } from '../../common/feed/push-items.js';
import type { DeviceId } from '../../common/ids.js';
import type { TreeStore } from '../state/tree-store.js';
import type { PushMessage, Upstream } from './upstream.js';

export interface OwnUpstreamParts {
  /** This device, whose changes are taken. */
  readonly deviceId: DeviceId;
  readonly store: Pick<TreeStore, 'remote'>;
  /** Makes sure that this device may change the namespace, as far as is known: raises what an agent would. */
  readonly checkRight: () => Promise<unknown>;
}

const NOTHING_MISSING = new Uint8Array(0);

/**
 * The way to nobody but this endpoint itself, for as long as metadata and agents are away: what it takes enters the own
 * remote tree by whoever pushes, as a provisional answer of an agent would, and from there peers hear it. Blocks stay in the
 * folder, from which they are given. Raises PERMISSION_DENIED (ROLE_INSUFFICIENT) for one who may only read.
 */
export function ownUpstream(parts: OwnUpstreamParts): Upstream {
  return {
    isProvisional: true,
    takesBlocks: false,
    chooseTarget: () =>
      Promise.reject(new DrystoneError('UNAVAILABLE', 'AGENTS_TOO_FEW', 'metadata and agents are away')),
    async *push(messages) {
      await parts.checkRight();
      for await (const message of messages) yield pushResponseOf(decide(message, parts));
    },
  };
}

/** What an agent would decide that holds what this endpoint knows. */
function decide({ items: wireItems }: PushMessage, { deviceId: committer, store }: OwnUpstreamParts) {
  const items = parsePushedItems({ items: [...wireItems] });
  const batch: PushBatch = { items, committer };
  const isNeeded = contentsNeeded(batch);
  const current = items.map(({ item: next }): CurrentItem | undefined => {
    const item = store.remote.get(next.path);
    if (item === undefined) return undefined;
    // There are no places and no counts here: nobody asks for them.
    const head = { cursor: EMPTY_FEED.cursor, version: item.version, live: false, sizeBytes: 0 };
    return { head, content: isNeeded(next, item.version) ? { item, encoded: encodeItem(item) } : undefined };
  });
  return decidePush({ feed: EMPTY_FEED, current, missing: NOTHING_MISSING }, batch);
}
