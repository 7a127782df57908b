import { expect, test } from 'vitest';
import { countCopies, openConflicts } from '../../../../client/conflicts/open-conflicts.js';
import { settle } from '../../../../common/feed/conflicts.js';
import type { Item } from '../../../../common/feed/item.js';
import { DELETION, itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const DISPUTED = itemFrom('d/notes.txt', [stateBy('a', 1, 1_000, 'ours'), stateBy('b', 1, 2_000, 'theirs')]);

test('a rival that nobody has settled is one, at its path', () => {
  expect(openConflicts([itemFrom('x', [stateBy('a', 1, 1, 'x')]), DISPUTED])).toEqual([
    { path: 'd/notes.txt', copy: undefined, author: 'a'.repeat(32), changedAtMs: 1_000, sizeBytes: 4 },
  ]);
});

test('a conflicted copy is one while its original is there', () => {
  const { copies, item } = settle(DISPUTED);
  const [copy] = copies;
  expect(openConflicts([...copies, item])).toEqual([
    { path: 'd/notes.txt', copy: copy!.path, author: 'a'.repeat(32), changedAtMs: 1_000, sizeBytes: 4 },
  ]);
  expect(openConflicts([...copies, itemFrom('d/notes.txt', [stateBy('b', 2, 3_000, DELETION)])])).toEqual([]);
  expect(openConflicts([itemFrom(copy!.path, [stateBy('b', 2, 3_000, DELETION)]), item])).toEqual([]);
});

test('the copies of a folder are counted as far as both they and their originals are there', () => {
  const { copies, item } = settle(DISPUTED);
  const copy = copies[0]!.path;
  const count = (...items: readonly Item[]): number => {
    const all = new Map(items.map((one) => [one.path, one]));
    return countCopies({ remote: { get: (path) => all.get(path), pathsBelow: () => [...all.keys()].sort() } });
  };
  expect(count(...copies, item)).toBe(1);
  expect(count(...copies)).toBe(0);
  expect(count(...copies, itemFrom('d/notes.txt', [stateBy('b', 2, 3_000, DELETION)]))).toBe(0);
  expect(count(itemFrom(copy, [stateBy('b', 2, 3_000, DELETION)]), item)).toBe(0);
  expect(count(DISPUTED), 'nobody has settled it').toBe(0);
});

test('they are in the order of their paths', () => {
  const other = itemFrom('a', [stateBy('a', 1, 1, 'x'), stateBy('b', 1, 2, 'y')]);
  expect(openConflicts([DISPUTED, other]).map(({ path }) => path)).toEqual(['a', 'd/notes.txt']);
});
