import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statesOf, type Item, type ItemPath } from '../../common/feed/item.js';
import { mergeItems } from '../../common/feed/merge.js';
import type { MetadataStore } from '../../metadata/store/contract.js';
import { openLmdbStore } from '../../metadata/store/lmdb-store.js';
import { createMemoryStore } from '../../metadata/store/memory-store.js';
import { histories, PlayedHistory, shownItems } from '../support/feed/history.js';
import { commitItems, furnish, itemsOf, lisbon, shared } from '../support/metadata/furnished-store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Numbers by which items are put in order, and how many of them a message has at the most. */
const orders = fc.record({ keys: fc.infiniteStream(fc.nat()), perMessage: fc.integer({ min: 1, max: 20 }) });
type Order = typeof orders extends fc.Arbitrary<infer T> ? T : never;

/** All items, some twice, in some order, in messages that name no path twice. */
function messagesOf(items: readonly Item[], { keys, perMessage }: Order): Item[][] {
  const key = (): number => Number(keys.next().value);
  const shuffled = [...items, ...items.filter(() => key() % 4 === 0)]
    .map((item) => ({ item, at: key() }))
    .sort((a, b) => a.at - b.at);
  const messages: Item[][] = [[]];
  for (const { item } of shuffled) {
    const last = messages.at(-1)!;
    if (last.length < perMessage && !last.some(({ path }) => path === item.path)) last.push(item);
    else messages.push([item]);
  }
  return messages;
}

async function checkOrder(store: MetadataStore, made: readonly Item[], order: Order): Promise<void> {
  await furnish(store);
  for (const { content } of made.flatMap(statesOf)) {
    if (content.kind !== 'file') continue;
    await commitItems(store, [], [{ agent: lisbon.id, hashes: content.blocks.hashes }]);
  }
  for (const message of messagesOf(made, order)) {
    const { missing, merged } = await commitItems(store, message);
    expect(missing).toHaveLength(0);
    const held = await itemsOf(store);
    for (const [index, item] of message.entries()) {
      const answer = merged.find((one) => one.index === index)?.current?.item ?? item;
      expect(shownItems([answer])).toEqual(shownItems([held.get(item.path)!]));
    }
  }
  const expected = new Map<ItemPath, Item>();
  for (const item of made) {
    const known = expected.get(item.path);
    expected.set(item.path, known === undefined ? item : mergeItems(known, item));
  }
  const items = await itemsOf(store);
  expect(shownItems(items.values())).toEqual(shownItems(expected.values()));
  const live = [...items.values()].filter(({ content }) => content.kind !== 'deletion');
  const bytes = live.map(({ content }) => (content.kind === 'file' ? content.sizeBytes : 0));
  const head = await store.journal.feedHead(shared.id);
  expect(head).toMatchObject({ itemCount: live.length, itemBytes: bytes.reduce((sum, size) => sum + size, 0) });
}

describe('a journal ends in the same items whatever the order in which they are committed', () => {
  it('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(histories, orders, async (history, order) => {
        await checkOrder(createMemoryStore(), new PlayedHistory(history).made, order);
      }),
      { numRuns: 300 },
    );
  });

  it('in LMDB', async () => {
    const directory = temporaryDirectory();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(histories, orders, async (history, order) => {
        const store = await openLmdbStore(join(directory, String(run++)));
        try {
          await checkOrder(store, new PlayedHistory(history).made, order);
        } finally {
          await store.close();
        }
      }),
      { numRuns: 15 },
    );
  });
});
