import { describe, expect, it } from 'vitest';
import type { Item } from '../../../common/feed/item.js';
import { feedLimits } from '../../../common/limits.js';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import { commitItems, feedOf, shared, WHOLE_FEED } from '../../support/metadata/furnished-store.js';
import { cursor, itemAt, namespaceIdNamed } from '../../support/metadata/samples.js';

/** What a store promises of reading a feed. */
export function describeFeed(open: () => Promise<MetadataStore>): void {
  describe('feed', () => {
    const read = (store: MetadataStore, query: Partial<typeof WHOLE_FEED>) =>
      store.journal.readFeed(shared.id, { ...WHOLE_FEED, ...query });

    it('begins after the cursor and says where it ends', async () => {
      const store = await open();
      expect(await read(store, {})).toMatchObject({ entries: [], nextCursor: 0, caughtUp: true });
      await commitItems(
        store,
        ['a', 'b', 'c'].map((path) => itemAt(path)),
      );
      expect(await feedOf(store, { after: cursor(1) })).toEqual(['2 b', '3 c']);
      expect(await read(store, { after: cursor(3) })).toMatchObject({ entries: [], nextCursor: 3, caughtUp: true });
    });

    it('gives no more entries than asked for', async () => {
      const store = await open();
      await commitItems(
        store,
        ['a', 'b', 'c'].map((path) => itemAt(path)),
      );
      expect(await feedOf(store, { maxEntries: 2 })).toEqual(['1 a', '2 b']);
      expect(await read(store, { maxEntries: 2 })).toMatchObject({ nextCursor: 2, caughtUp: false });
      expect(await read(store, { after: cursor(2), maxEntries: 2 })).toMatchObject({ nextCursor: 3, caughtUp: true });
      expect(await read(store, { maxEntries: 3 })).toMatchObject({ nextCursor: 3, caughtUp: true });
    });

    it('gives no more bytes than asked for, unless one entry alone has more', async () => {
      const store = await open();
      await commitItems(
        store,
        ['a', 'b', 'c'].map((path) => itemAt(path)),
      );
      const { entries } = await read(store, {});
      const size = entries[0]!.item.length;
      expect(await feedOf(store, { maxBytes: size * 2 })).toEqual(['1 a', '2 b']);
      expect(await feedOf(store, { maxBytes: size * 2 - 1 })).toEqual(['1 a']);
      expect(await feedOf(store, { maxBytes: 1 })).toEqual(['1 a']);
    });

    it('leaves out what lies elsewhere, and moves past it', async () => {
      const store = await open();
      const paths = ['in', 'inside', 'out', 'in/a', 'in/b/c', 'a/in', 'z'];
      await commitItems(
        store,
        paths.map((path) => itemAt(path)),
      );
      expect(await feedOf(store, { pathPrefix: 'in' })).toEqual(['1 in', '4 in/a', '5 in/b/c']);
      expect(await feedOf(store, { pathPrefix: 'in/b' })).toEqual(['5 in/b/c']);
      expect(await feedOf(store, { pathPrefix: 'z' })).toEqual(['7 z']);
      expect(await read(store, { pathPrefix: 'nowhere' })).toEqual({ entries: [], nextCursor: 7, caughtUp: true });
    });

    it('compares prefixes of any length, in any script', async () => {
      const store = await open();
      const long = 'ä'.repeat(100);
      await commitItems(store, [itemAt(`${long}/x`), itemAt(`${long}y`), itemAt('ö')]);
      expect(await feedOf(store, { pathPrefix: long })).toEqual([`1 ${long}/x`]);
      expect(await feedOf(store, { pathPrefix: 'ö' })).toEqual(['3 ö']);
    });

    it('bounds the work behind a page with a prefix', async () => {
      const store = await open();
      const total = feedLimits.entriesScannedPerPage + 10;
      const items = Array.from({ length: total }, (_, index): Item =>
        itemAt(index === total - 1 ? 'in/last' : `out/${index}`),
      );
      for (let start = 0; start < total; start += 4096) await commitItems(store, items.slice(start, start + 4096));
      const found: number[] = [];
      let page = await read(store, { pathPrefix: 'in' });
      while (!page.caughtUp) {
        expect(page.nextCursor).toBeGreaterThan(0);
        found.push(...page.entries.map((entry) => entry.cursor));
        page = await read(store, { pathPrefix: 'in', after: page.nextCursor });
      }
      expect([...found, ...page.entries.map((entry) => entry.cursor)]).toEqual([total]);
    });

    it('gives all that it adds one history, which no other store has', async () => {
      const [store, another] = [await open(), await open()];
      for (const written of [store, another]) {
        await commitItems(written, [itemAt('a'), itemAt('b')]);
        await commitItems(written, [itemAt('c')]);
      }
      const historyOf = (at: number): Promise<string | undefined> => store.journal.historyOf(shared.id, cursor(at));
      const history = await historyOf(1);
      expect(history).toMatch(/^[0-9a-f]{16}$/);
      expect([await historyOf(0), await historyOf(2), await historyOf(3)]).toEqual([undefined, history, history]);
      expect(await another.journal.historyOf(shared.id, cursor(3))).not.toBe(history);
      const unknown = store.journal.historyOf(namespaceIdNamed('x'), cursor(1));
      await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' });
    });

    it('refuses a cursor from the future', async () => {
      const store = await open();
      await commitItems(store, [itemAt('a')]);
      const refusal = { code: 'OUT_OF_RANGE', reason: 'CURSOR_AHEAD' };
      await expect(read(store, { after: cursor(2) })).rejects.toMatchObject(refusal);
    });
  });
}
