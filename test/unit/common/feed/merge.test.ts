import { describe, expect, it } from 'vitest';
import { isVoid, type Item, type ItemState } from '../../../../common/feed/item.js';
import { collide, fitsTheWire, hasSeen, mergeItems, sameItem } from '../../../../common/feed/merge.js';
import { wireLimits } from '../../../../common/limits.js';
import { DELETION, DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const merged = (...items: Item[]): Item => items.reduce(mergeItems);

/** Checks that two items come to a third, whichever comes first. */
function expectMerge(a: Item, b: Item, expected: Item): void {
  expect(mergeItems(a, b)).toEqual(expected);
  expect(mergeItems(b, a)).toEqual(expected);
}

describe('two changes, one made in the knowledge of the other', () => {
  it('are the later one alone', () => {
    const first = itemFrom('p', [stateBy('a', 1, 5, 'first')]);
    const second = itemFrom('p', [stateBy('b', 1, 3, 'second')], 'a1');
    expectMerge(first, second, second);
    expect(merged(first, second)).toBe(second);
  });
});

describe('two changes at the same time', () => {
  const [early, late] = [stateBy('a', 1, 5, 'early'), stateBy('b', 1, 6, 'late')];

  it('of files: the later one stands, the other is its rival', () => {
    expectMerge(itemFrom('p', [early]), itemFrom('p', [late]), itemFrom('p', [late, early]));
    const { content, rivals } = merged(itemFrom('p', [early]), itemFrom('p', [late]));
    expect([content, rivals]).toEqual([late.content, [early]]);
  });

  it('at the same moment: the smaller replica id stands', () => {
    const [a, b] = [stateBy('a', 1, 5, 'by a'), stateBy('b', 1, 5, 'by b')];
    expect(merged(itemFrom('p', [b]), itemFrom('p', [a])).content).toEqual(a.content);
  });

  it('where one is a deletion: the edit stands, however early it was', () => {
    const deletion = stateBy('b', 2, 99, DELETION);
    expect(merged(itemFrom('p', [deletion], 'c1'), itemFrom('p', [early], 'c1'))).toMatchObject({
      content: early.content,
      rivals: [deletion],
    });
  });

  it('where one is a directory: the directory stands', () => {
    const directory = stateBy('c', 1, 1, DIRECTORY);
    expect(merged(itemFrom('p', [late]), itemFrom('p', [directory]))).toMatchObject({
      content: DIRECTORY,
      rivals: [late],
    });
  });

  it('are both replaced by a change that has seen both', () => {
    const both = merged(itemFrom('p', [early]), itemFrom('p', [late]));
    const third = itemFrom('p', [stateBy('c', 1, 7, 'third')], 'a1', 'b1');
    expectMerge(both, third, third);
  });

  it('leave a rival to a change that has seen only one of them', () => {
    const third = stateBy('c', 1, 7, 'third');
    expectMerge(itemFrom('p', [early]), itemFrom('p', [third], 'b1'), itemFrom('p', [third, early], 'b1'));
  });
});

describe('a rival that was settled', () => {
  it('does not come back from those who still have it', () => {
    const [early, late] = [stateBy('a', 1, 5, 'early'), stateBy('b', 1, 6, 'late')];
    const settled = itemFrom('p', [late], 'a1');
    expectMerge(settled, itemFrom('p', [late, early]), settled);
    expectMerge(settled, itemFrom('p', [early]), settled);
  });
});

describe('an item of which nothing is left', () => {
  // Two made a file of a directory, each of another one; two others saw one directory and one file each, and settled them.
  const [one, other] = [stateBy('a', 1, 10, DIRECTORY), stateBy('b', 1, 20, DIRECTORY)];
  const void1 = merged(itemFrom('p', [one], 'b1', 'c1'), itemFrom('p', [other], 'a1', 'd1'));

  it('is a deletion by nobody', () => {
    expect(isVoid(void1)).toBe(true);
    expect(void1).toMatchObject({ content: DELETION, at: { wallMs: 0, logical: 0 }, rivals: [] });
  });

  it('adds what it knows and no state to any other', () => {
    const back = stateBy('c', 2, 5, 'written since');
    expectMerge(void1, itemFrom('p', [back]), itemFrom('p', [back], 'a1', 'b1', 'd1'));
    expectMerge(void1, itemFrom('p', [one]), void1);
  });
});

describe('two states under one number', () => {
  const [x, y] = [stateBy('a', 1, 5, 'x'), stateBy('a', 1, 6, 'y')];
  const [itemX, itemY] = [itemFrom('p', [x]), itemFrom('p', [y])];

  it('are told, and come to the same one everywhere', () => {
    expect(collide(itemX, itemY)).toBe(true);
    expect(collide(itemX, itemX)).toBe(false);
    expectMerge(itemX, itemY, itemY);
  });

  it('are not taken for one another', () => {
    expect(hasSeen(itemY, x)).toBe(false);
    expect(hasSeen(itemY, y)).toBe(true);
    expect(hasSeen(itemFrom('p', [stateBy('b', 1, 9, 'z')], 'a2'), x)).toBe(true);
    expect(hasSeen(itemFrom('p', [stateBy('b', 1, 9, 'z')]), x)).toBe(false);
  });
});

it('items are the same where every state is', () => {
  const states: ItemState[] = [stateBy('a', 1, 5, 'x'), stateBy('b', 1, 5, 'y')];
  expect(sameItem(itemFrom('p', states), itemFrom('p', [...states].reverse()))).toBe(true);
  expect(sameItem(itemFrom('p', states), itemFrom('p', states.slice(0, 1), 'b1'))).toBe(false);
  expect(sameItem(itemFrom('p', states), itemFrom('p', states, 'c1'))).toBe(false);
});

describe('an item fits the wire', () => {
  const hex = (number: number): string => number.toString(16).padStart(32, '0');
  const many = (count: number): Item => {
    const states = Array.from({ length: count }, (_, index) => {
      const state = stateBy('a', 1, 5, `text ${index}`);
      return { ...state, change: { ...state.change, replicaId: hex(index) as typeof state.change.replicaId } };
    });
    return itemFrom('p', states);
  };

  it('with as many rivals as there may be, and not with one more', () => {
    expect(fitsTheWire(many(wireLimits.rivalsPerItem + 1))).toBe(true);
    expect(fitsTheWire(many(wireLimits.rivalsPerItem + 2))).toBe(false);
  });

  it('with as many blocks in all its states together as a file may have', () => {
    const file = (replica: string, blocks: number): ItemState =>
      stateBy(replica, 1, 5, {
        kind: 'file',
        sizeBytes: blocks,
        modifiedAtMs: 0,
        executable: false,
        blocks: { hashes: Buffer.alloc(blocks * 32), sizes: Array.from({ length: blocks }, () => 1) },
      });
    const half = wireLimits.blocksPerItem / 2;
    expect(fitsTheWire(itemFrom('p', [file('a', half), file('b', half)]))).toBe(true);
    expect(fitsTheWire(itemFrom('p', [file('a', half), file('b', half + 1)]))).toBe(false);
  });
});
