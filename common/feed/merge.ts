import { wireLimits } from '../limits.js';
import { TIME_START } from './hybrid-time.js';
import {
  isVoid,
  NOBODY,
  statesOf,
  type Change,
  type Item,
  type ItemPath,
  type ItemState,
  type Version,
} from './item.js';
import { compareStates } from './state-order.js';
import { compareVersions, covers, joinVersions } from './version.js';

/**
 * What two endpoints that know an item as `a` and as `b` know together. A state is dropped where one of them knows its
 * change and does not have it any more: there it was replaced, or settled. Commutative, associative and idempotent, so
 * whoever has heard of the same changes, in whatever order and however often, holds the same item. Returns `a` or `b`
 * itself where the other adds nothing.
 */
export function mergeItems(a: Item, b: Item): Item {
  // Most of what is heard is the echo of what was said.
  if (sameItem(a, b)) return a;
  const states: ItemState[] = [];
  for (const state of statesOf(a)) {
    const twin = stateOf(b, state.change);
    if (twin !== undefined) states.push(compareStates(state, twin) <= 0 ? state : twin);
    else if (!covers(b.version, state.change)) states.push(state);
  }
  for (const state of statesOf(b)) if (!covers(a.version, state.change)) states.push(state);
  states.sort(compareStates);
  const version = joinVersions(a.version, b.version);
  return [a, b].find((item) => says(item, version, states)) ?? itemOf(a.path, version, states);
}

/** The item of these states, which are in order. */
export function itemOf(path: ItemPath, version: Version, [first, ...rivals]: readonly ItemState[]): Item {
  if (first !== undefined) {
    const { change, at, author, content } = first;
    return { path, version, change, at, author, content, rivals: rivals.map(plainState) };
  }
  const [change] = version;
  if (change === undefined) throw new Error('an item knows at least one change');
  return { path, version, change, at: TIME_START, author: NOBODY, content: { kind: 'deletion' }, rivals: [] };
}

/** Whether two items of one path say the same in every respect. */
export function sameItem(a: Item, b: Item): boolean {
  return a === b || says(a, b.version, statesOf(b));
}

/**
 * Whether what `item` says was said in the knowledge of `state`: it stands in it, or was replaced or settled since. False
 * also where the item has other content under the same change, which a copied state directory can bring about.
 */
export function hasSeen(item: Item, state: ItemState): boolean {
  const twin = stateOf(item, state.change);
  return twin === undefined ? covers(item.version, state.change) : compareStates(twin, state) === 0;
}

/** Whether both have other content under one change. */
export function collide(a: Item, b: Item): boolean {
  return statesOf(a).some((state) => {
    const twin = stateOf(b, state.change);
    return twin !== undefined && compareStates(state, twin) !== 0;
  });
}

/** Whether an item keeps to the limits of the wire: a merge of two that do may not. */
export function fitsTheWire(item: Item): boolean {
  return (
    item.rivals.length <= wireLimits.rivalsPerItem &&
    item.version.length <= wireLimits.versionEntries &&
    blockCount(item) <= wireLimits.blocksPerItem
  );
}

/** How many blocks the states of an item name together. */
export function blockCount(item: Item): number {
  let count = 0;
  for (const { content } of statesOf(item)) if (content.kind === 'file') count += content.blocks.sizes.length;
  return count;
}

function stateOf(item: Item, change: Change): ItemState | undefined {
  if (item.rivals.length === 0) return sameChange(item.change, change) && !isVoid(item) ? item : undefined;
  return statesOf(item).find((state) => sameChange(state.change, change));
}

/** Whether two are one change. */
export function sameChange(a: Change, b: Change): boolean {
  return a.counter === b.counter && a.replicaId === b.replicaId;
}

function says(item: Item, version: Version, states: readonly ItemState[]): boolean {
  const own = statesOf(item);
  return (
    own.length === states.length &&
    compareVersions(item.version, version) === 'equal' &&
    own.every((state, index) => {
      const other = states[index];
      return other !== undefined && (other === state || compareStates(state, other) === 0);
    })
  );
}

/** A state without what an item has beside it. */
function plainState({ change, at, author, content }: ItemState): ItemState {
  return { change, at, author, content };
}
