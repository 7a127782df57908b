import { expect, test } from 'vitest';
import { openConflicts } from '../../../../client/conflicts/open-conflicts.js';
import { settle } from '../../../../common/feed/conflicts.js';
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

test('they are in the order of their paths', () => {
  const other = itemFrom('a', [stateBy('a', 1, 1, 'x'), stateBy('b', 1, 2, 'y')]);
  expect(openConflicts([DISPUTED, other]).map(({ path }) => path)).toEqual(['a', 'd/notes.txt']);
});
