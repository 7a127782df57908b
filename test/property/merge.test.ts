import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conflictsOf } from '../../common/feed/conflicts.js';
import { statesOf, type Item, type ItemPath } from '../../common/feed/item.js';
import { fitsTheWire, itemOf, mergeItems, sameChange, sameItem } from '../../common/feed/merge.js';
import { compareStates } from '../../common/feed/state-order.js';
import { counterOf, covers, joinVersions } from '../../common/feed/version.js';
import { wireLimits } from '../../common/limits.js';
import type { Merge } from '../support/feed/endpoint.js';
import {
  histories,
  keyOf,
  PlayedHistory,
  SAME_TEXT,
  shownItems,
  textFile,
  type Step,
} from '../support/feed/history.js';

const RUNS = { numRuns: 2_000 };

const orders = fc.record({ first: fc.infiniteStream(fc.nat()), second: fc.infiniteStream(fc.nat()), parts: fc.nat(6) });
type Order = typeof orders extends fc.Arbitrary<infer T> ? T : never;

/** What somebody knows who has heard of these items, in this order. */
function heard(items: readonly Item[], merge: Merge): Item[] {
  const known = new Map<ItemPath, Item>();
  for (const item of items) {
    const before = known.get(item.path);
    const merged = before === undefined ? item : merge(before, item);
    // A merge that is wrong may make more and more of them: it must be found out before the memory is full.
    if (merged.rivals.length > wireLimits.rivalsPerItem) throw new Error('more rivals than anybody has made');
    known.set(item.path, merged);
  }
  return [...known.values()];
}

/** A list in another order, some of it more than once. */
function shuffledWithRepeats(items: readonly Item[], numbers: fc.Stream<number>): Item[] {
  const draw = (): number => Number(numbers.next().value);
  const repeated = [...items, ...items.filter(() => draw() % 3 === 0)];
  return repeated
    .map((item) => ({ item, at: draw() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Whatever the order, the repetitions and the parts in which they are delivered, changes come to the same. */
function checkOrders(history: readonly Step[], { first, second, parts }: Order, merge: Merge = mergeItems): void {
  const { made } = new PlayedHistory(history, merge);
  const expected = shownItems(heard(made, merge));
  const deliveries = shuffledWithRepeats(made, first);
  expect(shownItems(heard(deliveries, merge))).toEqual(expected);
  // Several hear of a part each, and somebody then of what each of them has made of it.
  const groups = Array.from({ length: parts + 1 }, (_, group) =>
    deliveries.filter((_item, index) => index % (parts + 1) === group),
  );
  const relayed = groups.flatMap((group) => heard(group, merge));
  expect(shownItems(heard(shuffledWithRepeats(relayed, second), merge))).toEqual(expected);
}

/** Once all have spoken with all, they hold the same, without conflicts, and each content that nobody replaced once. */
function checkHealing(history: readonly Step[], merge: Merge = mergeItems): void {
  const played = new PlayedHistory(history, merge);
  played.heal();
  const [first, ...others] = played.endpoints.map(({ items }) => [...items.values()]);
  for (const other of others) expect(shownItems(other)).toEqual(shownItems(first ?? []));
  const held = new Map<string, number>();
  for (const item of first ?? []) {
    expect(conflictsOf(item)).toEqual([]);
    const files = statesOf(item).flatMap(({ content }) => (content.kind === 'file' ? [keyOf(content)] : []));
    for (const file of new Set(files)) held.set(file, (held.get(file) ?? 0) + 1);
  }
  const same = keyOf(textFile(SAME_TEXT));
  for (const file of played.written) {
    const places = held.get(file) ?? 0;
    if (!played.replaced.has(file)) expect(places, 'places of a content that nobody replaced').toBeGreaterThan(0);
    if (file !== same) expect(places, 'places of a content that was written once').toBeLessThanOrEqual(1);
  }
}

describe('the merge', () => {
  it('is commutative, associative and idempotent, and gives back what adds nothing as it is', () => {
    fc.assert(
      fc.property(histories, fc.nat(), fc.nat(), fc.nat(), (history, i, j, k) => {
        const { made, endpoints } = new PlayedHistory(history);
        const items = [...made, ...endpoints.flatMap((endpoint) => [...endpoint.items.values()])];
        const known = items.filter(({ path }) => path === items[i % items.length]?.path);
        const pool = [...known, ...known.map(({ path, version }) => itemOf(path, version, []))];
        const [a, b, c] = [i, j, k].map((number) => pool[number % pool.length]);
        if (a === undefined || b === undefined || c === undefined) return;
        const ab = mergeItems(a, b);
        expect(shownItems([mergeItems(b, a)])).toEqual(shownItems([ab]));
        expect(shownItems([mergeItems(ab, c)])).toEqual(shownItems([mergeItems(a, mergeItems(b, c))]));
        expect(mergeItems(a, a)).toBe(a);
        expect(mergeItems(ab, a)).toBe(ab);
        expect(sameItem(ab, mergeItems(b, a))).toBe(true);
      }),
      RUNS,
    );
  });

  it('comes to the same whatever the order, the repetitions and the parts in which changes are heard of', () => {
    fc.assert(
      fc.property(histories, orders, (history, order) => checkOrders(history, order)),
      RUNS,
    );
  });

  it('loses no content: once all have met it stands, or is a conflicted copy, or was replaced by who saw it', () => {
    fc.assert(
      fc.property(histories, (history) => checkHealing(history)),
      RUNS,
    );
  });

  it('keeps what an item promises: states in order, each of another replica and the last that the version knows of it', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { made, endpoints } = new PlayedHistory(history);
        for (const item of [...made, ...endpoints.flatMap((endpoint) => [...endpoint.items.values()])]) {
          const states = statesOf(item);
          for (const { change } of states) expect(counterOf(item.version, change.replicaId)).toBe(change.counter);
          expect(new Set(states.map(({ change }) => change.replicaId)).size).toBe(states.length);
          expect([...states].sort(compareStates)).toEqual(states);
          expect(fitsTheWire(item)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Merges that are wrong. */
const FAULTS: Record<string, Merge> = {
  'that drops the rivals': (a, b) => {
    const { path, version, ...merged } = mergeItems(a, b);
    return itemOf(path, version, [merged]);
  },
  'that drops a rival of the later one': (a, b) => mergeItems(a, { ...b, rivals: b.rivals.slice(1) }),
  'that takes a change that is just known for one that is not': (a, b) => {
    const isNews = (version: Item['version'], { change }: { change: Item['change'] }): boolean =>
      counterOf(version, change.replicaId) <= change.counter;
    const inBoth = statesOf(b).filter((state) => isNews(a.version, state));
    const states = [...statesOf(a).filter((state) => isNews(b.version, state)), ...inBoth];
    const each = states.filter(
      (state, index) => states.findIndex((other) => compareStates(other, state) === 0) === index,
    );
    return itemOf(a.path, joinVersions(a.version, b.version), each.sort(compareStates));
  },
  'that forgets to join the versions': (a, b) => {
    const merged = mergeItems(a, b);
    return itemOf(a.path, covers(a.version, merged.change) ? a.version : b.version, statesOf(merged));
  },
  'that puts the states in no order': (a, b) => {
    const merged = mergeItems(a, b);
    const isOf = (item: Item, { change }: { change: Item['change'] }): boolean =>
      statesOf(item).some((state) => sameChange(state.change, change));
    const known = statesOf(a).filter((state) => isOf(merged, state));
    return itemOf(a.path, merged.version, [...known, ...statesOf(merged).filter((state) => !isOf(a, state))]);
  },
  'that lets a settled rival come back': (a, b) =>
    itemOf(
      a.path,
      joinVersions(a.version, b.version),
      [
        ...statesOf(a),
        ...statesOf(b).filter((state) => !statesOf(a).some((own) => compareStates(own, state) === 0)),
      ].sort(compareStates),
    ),
};

describe('a merge', () => {
  it.each(Object.entries(FAULTS))('%s is found out', (_what, merge) => {
    const { failed } = fc.check(
      fc.property(histories, orders, (history, order) => {
        checkOrders(history, order, merge);
        checkHealing(history, merge);
      }),
      { ...RUNS, endOnFailure: true },
    );
    expect(failed).toBe(true);
  });
});
