import { beforeEach, expect, test } from 'vitest';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { ownUpstream } from '../../../../client/upstream/own-upstream.js';
import { DrystoneError } from '../../../../common/errors.js';
import { settle } from '../../../../common/feed/conflicts.js';
import { entryFromWire, itemToWire } from '../../../../common/feed/item-codec.js';
import type { Item } from '../../../../common/feed/item.js';
import { mergeItems } from '../../../../common/feed/merge.js';
import type { PushResponse } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { collect, rejection, streamOf } from '../../../support/async-tools.js';
import { itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const signal = new AbortController().signal;
const ours = itemFrom('a', [stateBy('d', 1, 1, 'ours')]);
const theirs = itemFrom('a', [stateBy('e', 1, 2, 'theirs')]);

let store: MemoryTreeStore;
beforeEach(() => {
  store = new MemoryTreeStore();
});

function upstream(checkRight: () => Promise<unknown> = () => Promise.resolve()) {
  return ownUpstream({ deviceId: ours.author, store, checkRight });
}

function push(...items: readonly Item[]): Promise<PushResponse[]> {
  return collect(upstream().push(streamOf({ items: items.map(itemToWire), receipts: [] }), signal));
}

test('what nobody else takes is taken as an agent would take it, without its blocks', async () => {
  const { isProvisional, takesBlocks } = upstream();
  expect([isProvisional, takesBlocks]).toEqual([true, false]);
  expect(await push(ours)).toEqual([{ cursor: 1n, missingHashes: new Uint8Array(0), merged: [] }]);
  expect(store.remote.get(ours.path), 'it is written by whoever pushes').toBeUndefined();
  expect(await rejection(upstream().chooseTarget(new Uint8Array(32), signal))).toMatchObject({ code: 'UNAVAILABLE' });
});

test('what was heard meanwhile is merged with it, and said', async () => {
  await store.write({ heard: new Map([[theirs.path, theirs]]) });
  const [answer] = await push(ours);
  const [merged] = answer!.merged;
  expect(entryFromWire('current', merged!.current!).item).toEqual(mergeItems(theirs, ours));
});

test('a change that is another’s is not taken, but for what settles a conflict that is known', async () => {
  const [refused] = await push(theirs);
  expect(refused!.merged).toEqual([{ index: 0, current: undefined }]);
  await store.write({ heard: new Map([[theirs.path, mergeItems(ours, theirs)]]) });
  const { copies, item } = settle(mergeItems(ours, theirs));
  expect((await push(...copies, item))[0]!.merged).toEqual([]);
});

test('one who may only read the namespace takes nothing from itself', async () => {
  const refusal = new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', 'may only read');
  const pushing = upstream(() => Promise.reject(refusal)).push(streamOf({ items: [], receipts: [] }), signal);
  expect(await rejection(collect(pushing))).toBe(refusal);
});
