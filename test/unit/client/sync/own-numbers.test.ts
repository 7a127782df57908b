import { beforeEach, expect, test } from 'vitest';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { checkOwnNumbers } from '../../../../client/sync/own-numbers.js';
import type { Item, ItemPath } from '../../../../common/feed/item.js';
import { itemOf } from '../../../../common/feed/merge.js';
import type { ReplicaId } from '../../../../common/ids.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const PATH = 'a' as ItemPath;
const own = stateBy('a', 1, 1, DIRECTORY).change.replicaId;
const NOT_ALONE = expect.objectContaining({ code: 'FAILED_PRECONDITION', reason: 'STATE_NOT_ALONE' }) as Error;

function change(counter: number, atMs = counter): Item {
  return itemFrom(PATH, [stateBy('a', counter, atMs, DIRECTORY)]);
}

let store: MemoryTreeStore;
beforeEach(() => {
  store = new MemoryTreeStore();
});

function told(item: Item, replica: ReplicaId = own): () => void {
  return () => checkOwnNumbers([item], replica, store);
}

test('what others have changed is none of its own', () => {
  expect(told(itemFrom(PATH, [stateBy('b', 7, 7, DIRECTORY)]))).not.toThrow();
});

test.each(['remote', 'synced', 'offered', 'provisional'] as const)(
  'what is in %s is known, and all before it',
  async (tree) => {
    await store.write({ [tree]: new Map([[PATH, change(3)]]) });
    expect(told(change(2))).not.toThrow();
    expect(told(change(3))).not.toThrow();
    expect(told(change(4))).toThrow(NOT_ALONE);
  },
);

test('an own change of which nothing is known, or that came after all that is, is not from here', () => {
  expect(told(change(1))).toThrow(NOT_ALONE);
  expect(told(change(1))).toThrow(/one of two: a has a change/);
});

test('a number that stands for something else here was given by two', async () => {
  await store.write({ offered: new Map([[PATH, change(1, 100)]]) });
  expect(told(change(1, 200))).toThrow(NOT_ALONE);
  expect(told(change(1, 100))).not.toThrow();
});

test('a number that was given to something that is past is known', async () => {
  await store.write({ offered: new Map([[PATH, itemOf(PATH, change(2).version, [])]]) });
  expect(told(change(2))).not.toThrow();
});

test('whoever becomes another forgets what was offered, and keeps the rest', async () => {
  const namespaceId = '0'.repeat(32) as NonNullable<MemoryTreeStore['namespaceId']>;
  await store.claim(namespaceId, 'first');
  await store.write({ offered: new Map([[PATH, change(1)]]), remote: new Map([[PATH, change(1)]]) });
  await store.claim(namespaceId, 'second');
  expect([store.nonce, store.offered.get(PATH), store.remote.get(PATH)]).toEqual(['second', undefined, change(1)]);
});
