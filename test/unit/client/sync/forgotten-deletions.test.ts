import { expect, test } from 'vitest';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { InHand } from '../../../../client/sync/in-hand.js';
import { followFeed } from '../../../../client/sync/feed-follower.js';
import { systemClock } from '../../../../common/clock.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import type { DeviceId } from '../../../../common/ids.js';
import { metadataLimits } from '../../../../common/limits.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { commitItems, furnish, shared } from '../../../support/metadata/furnished-store.js';
import { itemAt, replicaNamed } from '../../../support/metadata/samples.js';
import { BROKEN, servedFeed } from '../../../support/metadata/served-feed.js';

const replica = replicaNamed('folder');

test('a folder that comes back after a deletion was forgotten hears of it all the same, and goes on', async () => {
  const [metadata, folder] = [createMemoryStore(), new MemoryTreeStore()];
  await furnish(metadata);
  const follow = (): Promise<unknown> => {
    const told = { device: 'd'.repeat(32) as DeviceId, onPage: () => undefined, onReset: () => undefined };
    const inHand = new InHand(folder);
    const parts = {
      namespaceId: shared.id,
      endpoint: 'metadata',
      feed: servedFeed(metadata),
      store: folder,
      inHand,
    } as const;
    return expect(followFeed({ ...parts, ...told, replica }, AbortSignal.any([]))).rejects.toBe(BROKEN);
  };
  const kindOf = (path: string): string | undefined => folder.remote.get(path as ItemPath)?.content.kind;
  await commitItems(metadata, [itemAt('stays'), itemAt('goes')]);
  await follow();
  expect(await metadata.knowledge.list(shared.id)).toMatchObject([{ id: replica, seen: 2 }]);

  await commitItems(metadata, [itemAt('goes', { ana: 2 }, { kind: 'deletion' })]);
  const nowMs = systemClock.nowMs();
  await metadata.knowledge.compact(shared.id, nowMs);
  await metadata.knowledge.compact(shared.id, nowMs + metadataLimits.tombstoneAgeMs);
  expect(await metadata.stats()).toMatchObject({ tombstones: 0 });
  await commitItems(metadata, [itemAt('new')]);
  await follow();
  expect([kindOf('stays'), kindOf('goes'), kindOf('new')]).toEqual(['directory', 'deletion', 'directory']);
  expect(folder.remote.get('goes' as ItemPath)?.version, 'no number is given twice').toEqual(itemAt('goes').version);
  expect(folder.cursor).toBe(4);
});
