import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedQuery } from '../../common/feed-service/feed-source.js';
import { decodeItem } from '../../common/feed/item-codec.js';
import { isAtOrBelow } from '../../common/feed/paths.js';
import type { MetadataStore } from '../../metadata/store/contract.js';
import { openLmdbStore } from '../../metadata/store/lmdb-store.js';
import { createMemoryStore } from '../../metadata/store/memory-store.js';
import { commitItems, furnish, shared } from '../support/metadata/furnished-store.js';
import { cursor, itemAt } from '../support/metadata/samples.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const paths = ['a', 'a/b', 'a/b/c', 'ab', 'b', 'b/a', 'c/d/e', 'ä', 'ä/a'];
/** Each number changes the path of that place once more. */
const history = fc.array(fc.nat({ max: paths.length - 1 }), { maxLength: 40 });
const prefix = fc.constantFrom('', ...paths, 'nowhere');

async function play(store: MetadataStore, changes: readonly number[]): Promise<void> {
  await furnish(store);
  const counters = paths.map(() => 0);
  for (const place of changes) {
    counters[place] = (counters[place] ?? 0) + 1;
    await commitItems(store, [itemAt(paths[place]!, { ana: counters[place] })]);
  }
}

/** Follows `nextCursor` from the start: "cursor path", page by page. */
async function readAll(store: MetadataStore, query: Omit<FeedQuery, 'after'>): Promise<string[]> {
  const seen: string[] = [];
  let after = cursor(0);
  for (;;) {
    const page = await store.journal.readFeed(shared.id, { ...query, after });
    expect(page.entries.length).toBeLessThanOrEqual(query.maxEntries);
    seen.push(...page.entries.map((entry) => `${entry.cursor} ${decodeItem(entry.item).path}`));
    if (page.caughtUp) return seen;
    expect(page.nextCursor).toBeGreaterThan(after);
    after = page.nextCursor;
  }
}

/** The feed as it has to be: each path at its last change. */
function expected(changes: readonly number[], pathPrefix: string): string[] {
  const last = new Map(changes.map((place, index) => [place, index + 1]));
  return [...last]
    .sort(([, a], [, b]) => a - b)
    .map(([place, at]) => ({ path: paths[place]!, at }))
    .filter(({ path }) => isAtOrBelow(path, pathPrefix))
    .map(({ path, at }) => `${at} ${path}`);
}

describe('pages of a feed', () => {
  const pageSize = fc.integer({ min: 1, max: 12 });
  const pageBytes = fc.integer({ min: 1, max: 400 });

  it('are the whole feed when put together, whatever their size and prefix (memory)', async () => {
    await fc.assert(
      fc.asyncProperty(history, prefix, pageSize, pageBytes, async (changes, pathPrefix, maxEntries, maxBytes) => {
        const store = createMemoryStore();
        await play(store, changes);
        expect(await readAll(store, { pathPrefix, maxEntries, maxBytes })).toEqual(expected(changes, pathPrefix));
      }),
      { numRuns: 300 },
    );
  });

  it('are the whole feed when put together, whatever their size and prefix (LMDB)', async () => {
    const directory = temporaryDirectory();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(history, prefix, pageSize, pageBytes, async (changes, pathPrefix, maxEntries, maxBytes) => {
        const store = await openLmdbStore(join(directory, String(run++)));
        try {
          await play(store, changes);
          expect(await readAll(store, { pathPrefix, maxEntries, maxBytes })).toEqual(expected(changes, pathPrefix));
        } finally {
          await store.close();
        }
      }),
      { numRuns: 15 },
    );
  });
});
