import { expect, test, vi } from 'vitest';
import type { Operation } from '../../../../client/plan/operation.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { InHand } from '../../../../client/sync/in-hand.js';
import type { FileContent, Item, ItemPath } from '../../../../common/feed/item.js';
import { itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const at = (path: string): ItemPath => path as ItemPath;
const file = (path: string, counter: number): Item =>
  itemFrom(path, [stateBy('a', counter, counter, `text ${counter}`)]);
const byPath = (...items: Item[]): Map<ItemPath, Item> => new Map(items.map((item) => [item.path, item]));

function fetching(item: Item): Operation {
  return {
    kind: 'fetch-file',
    path: item.path,
    item: item as Item & { content: FileContent },
    replaces: undefined,
  };
}

test('of news, what operations under way have in hand is named, as they have it', async () => {
  const inHand = new InHand(new MemoryTreeStore());
  const news = byPath(file('fetched', 2), file('removed', 2), file('untouched', 2));
  expect(inHand.among(news).size).toBe(0);
  const replaces = { kind: 'directory', path: at('removed') } as const;
  await inHand.begin([fetching(file('fetched', 1)), { kind: 'remove', path: at('removed'), replaces }]);
  expect([...inHand.among(news)]).toEqual([['fetched', file('fetched', 1)]]);
});

test('when a round is over nothing is in hand, and what was kept is forgotten', async () => {
  const store = new MemoryTreeStore();
  const inHand = new InHand(store);
  await inHand.begin([fetching(file('fetched', 1))]);
  await store.write({ inHand: inHand.among(byPath(file('fetched', 2))) });
  expect([...store.inHand.pathsBelow('')]).toEqual(['fetched']);
  await inHand.end();
  expect([...store.inHand.pathsBelow('')]).toEqual([]);
  expect(inHand.among(byPath(file('fetched', 3))).size).toBe(0);
});

test('what the folder is to be made from is durable before it is changed, and not waited for where it stays as it is', async () => {
  const store = new MemoryTreeStore();
  const durable = vi.spyOn(store, 'durable');
  const inHand = new InHand(store);
  await inHand.begin([{ kind: 'adopt', path: at('known'), item: file('known', 1) }]);
  expect(durable).not.toHaveBeenCalled();
  for (const operation of [
    fetching(file('fetched', 1)),
    { kind: 'remove', path: at('removed'), replaces: { kind: 'directory', path: at('removed') } } as const,
  ]) {
    durable.mockClear();
    await inHand.begin([operation]);
    expect(durable).toHaveBeenCalledOnce();
  }
});
