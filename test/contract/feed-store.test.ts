import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLmdbFeedStore } from '../../agent/feed/lmdb-feed-store.js';
import { MemoryFeedStore } from '../../agent/feed/memory-feed-store.js';
import { emptyLog, feedOf, pushOf, shared } from '../support/agent/feed-samples.js';
import { cursor, itemAt, newItem } from '../support/metadata/samples.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { describeFeedStore } from './feed-store.js';

describeFeedStore('the memory engine', async () => new MemoryFeedStore());
describeFeedStore('the LMDB engine', () => openLmdbFeedStore(join(temporaryDirectory(), 'feeds')));

test('the LMDB engine finds everything again after it was closed', async () => {
  const path = join(temporaryDirectory(), 'feeds');
  const before = await openLmdbFeedStore(path);
  await before.follow(shared, { items: [newItem(itemAt('a'))], followed: cursor(12) });
  await before.push(shared, pushOf([itemAt('b')]));
  const history = await before.historyOf(shared, cursor(1));
  await before.close();
  const after = await openLmdbFeedStore(path);
  expect(await feedOf(after, shared)).toEqual(['1 a', '2 b']);
  expect(await after.progress(shared)).toMatchObject({ followed: 12, waiting: 1 });
  expect(await emptyLog(after, shared)).toEqual([['b']]);
  await after.push(shared, pushOf([itemAt('c')]));
  expect(await after.historyOf(shared, cursor(2))).toBe(history);
  expect(await after.historyOf(shared, cursor(3))).not.toBe(history);
  await after.close();
});
