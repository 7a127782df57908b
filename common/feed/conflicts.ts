import { replicaIdOf, type ReplicaId } from '../ids.js';
import { conflictPath } from './conflict-name.js';
import {
  sameBytes,
  statesOf,
  type Change,
  type Item,
  type ItemContent,
  type ItemPath,
  type ItemState,
  type Version,
} from './item.js';
import { itemOf, mergeItems, sameChange } from './merge.js';
import { covers, joinVersions } from './version.js';

/**
 * The rivals of an item whose content people would miss: not deletions, and no bytes that the item itself or a rival before
 * it has. In the order of the rivals. An item without any is settled.
 */
export function conflictsOf({ content, rivals }: Item): readonly ItemState[] {
  if (rivals.length === 0) return rivals;
  const kept: ItemContent[] = [content];
  return rivals.filter((rival) => {
    if (rival.content.kind === 'deletion' || kept.some((other) => keepsTheSame(other, rival.content))) return false;
    kept.push(rival.content);
    return true;
  });
}

/** Items that end a disagreement about a path when they are committed together. */
export interface Settlement {
  /** What would otherwise be lost, under paths of its own, each of which is there once. */
  readonly copies: readonly Item[];
  /** The path itself, without rivals. */
  readonly item: Item;
  /** The sides that need no copy, because another side has what they have. */
  readonly alike: readonly Change[];
}

/**
 * Writes the conflicts of an item out as conflicted copies. Nothing in it depends on who settles, or when: all who do it
 * make the same items, so each copy is there once, and one that was deleted meanwhile stays deleted.
 */
export function settle(item: Item): Settlement {
  const conflicts = conflictsOf(item);
  const settled = itemOf(item.path, item.version, statesOf(item).slice(0, 1));
  return { copies: copiesOf(item.path, conflicts), item: settled, alike: alikeIn(item, conflicts) };
}

/**
 * Whether `held` has what stands once a conflict is settled, and no conflict; and has heard of the sides that get no copy: who
 * knows one of those, and not the side that it is like, finds nothing of it in any copy.
 */
export function isSettledBy(held: Item, { change }: Item, alike: Settlement['alike']): boolean {
  if (!sameChange(held.change, change) || conflictsOf(held).length > 0) return false;
  return alike.every((side) => covers(held.version, side));
}

/**
 * As {@link settle}, for a path below which there are items although it holds a file or symlink: that too becomes a
 * conflicted copy, and the path the directory that it has to be.
 */
export function settleAsDirectory(item: Item): Settlement {
  const { path, change: replaced, at, author } = item;
  const conflicts = conflictsOf(item);
  const copies = copiesOf(path, [item, ...conflicts]);
  const change = derivedChange('directory', path, replaced);
  const directory: ItemState = { change, at, author, content: { kind: 'directory' } };
  const settled = itemOf(path, joinVersions(item.version, [change]), [directory]);
  return { copies, item: settled, alike: alikeIn(item, conflicts) };
}

function alikeIn({ rivals }: Item, conflicts: readonly ItemState[]): readonly Change[] {
  const alike = rivals.filter((rival) => rival.content.kind !== 'deletion' && !conflicts.includes(rival));
  return alike.map(({ change }) => change);
}

/** Whether a change is the one by which some of these changes of `path` have been settled. */
export function settles({ replicaId }: Change, path: ItemPath, changes: Version): boolean {
  return settlersOf(path, changes).has(replicaId);
}

/** The replicas that exist to settle one of these changes of `path`. */
export function settlersOf(path: ItemPath, changes: Version): ReadonlySet<ReplicaId> {
  const purposes = ['conflicted copy', 'directory'] as const;
  return new Set(
    changes.flatMap((settled) => purposes.map((purpose) => derivedChange(purpose, path, settled).replicaId)),
  );
}

/** Copies of states of `path`, each path once: two that come by one name, as of two folders of one device, are rivals there. */
function copiesOf(path: ItemPath, states: readonly ItemState[]): Item[] {
  const copies = new Map<ItemPath, Item>();
  for (const state of states) {
    const copy = copyOf(path, state);
    const other = copies.get(copy.path);
    copies.set(copy.path, other === undefined ? copy : mergeItems(other, copy));
  }
  return [...copies.values()];
}

/** The item that holds what a state of `path` was, its author and time included. */
function copyOf(path: ItemPath, state: ItemState): Item {
  // A number of the path's own replica would be one of another path here, where the replica may have made changes as well.
  const change = derivedChange('conflicted copy', path, state.change);
  const marks = { device: state.author, dateMs: state.at.wallMs, number: state.change.counter };
  const copy = conflictPath(path, { ...marks, tag: change.replicaId.slice(0, 8) });
  return itemOf(copy, [change], [{ ...state, change }]);
}

/** The only change of a replica that exists for this purpose alone. */
function derivedChange(
  purpose: 'conflicted copy' | 'directory',
  path: ItemPath,
  { replicaId, counter }: Change,
): Change {
  return { replicaId: replicaIdOf(purpose, path, replicaId, String(counter)), counter: 1 };
}

/** Whether whoever has the one misses nothing of the other: attributes that lose a dispute are no content. */
function keepsTheSame(a: ItemContent, b: ItemContent): boolean {
  if (a.kind === 'file') return b.kind === 'file' && sameBytes(a, b);
  if (a.kind === 'symlink') return b.kind === 'symlink' && a.target === b.target;
  return a.kind === b.kind;
}
