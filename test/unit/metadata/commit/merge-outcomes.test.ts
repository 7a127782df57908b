import { expect, test } from 'vitest';
import type { Item } from '../../../../common/feed/item.js';
import { mergeOutcomesOf } from '../../../../metadata/commit/merge-outcomes.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { commitItems, furnish } from '../../../support/metadata/furnished-store.js';
import { fileOf, itemAt } from '../../../support/metadata/samples.js';

const LINK = { kind: 'symlink', target: 'x' } as const;
const OTHER_LINK = { kind: 'symlink', target: 'y' } as const;

test('of each pushed item one outcome is counted', async () => {
  const store = createMemoryStore();
  await furnish(store);
  const outcomes = async (...items: readonly Item[]): Promise<readonly string[]> =>
    mergeOutcomesOf(
      items.map((item) => ({ item })),
      await commitItems(store, items),
    );
  expect(await outcomes(itemAt('a', { ana: 1 }, LINK), itemAt('b'))).toEqual(['taken', 'taken']);
  expect(await outcomes(itemAt('a', { ana: 1 }, LINK), itemAt('c'))).toEqual(['known', 'taken']);
  expect(await outcomes(itemAt('a', { ben: 1 }, OTHER_LINK))).toEqual(['merged']);
  expect(await outcomes(itemAt('a', { ana: 1, ben: 2 }, LINK))).toEqual(['taken']);
  expect(await outcomes(itemAt('a', { ben: 1 }, OTHER_LINK)), 'it was replaced since').toEqual(['known']);
  expect(await outcomes(itemAt('b', { ana: 1 }, LINK)), 'another state under the same change').toEqual(['refused']);
  expect(await outcomes(itemAt('f', { ana: 1 }, fileOf('nowhere'))), 'nothing was tried').toEqual([]);
});
