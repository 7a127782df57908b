import { conflictsOf } from '../../common/feed/conflicts.js';
import { originalOf } from '../../common/feed/copy-name.js';
import type { Item, ItemPath, ItemState } from '../../common/feed/item.js';
import { isAtOrBelow } from '../../common/feed/paths.js';
import type { DeviceId } from '../../common/ids.js';
import type { StateView } from '../state/lmdb-state-view.js';

/** A disagreement about a path that nobody has ended. */
export interface OpenConflict {
  /** The path that several have changed. */
  readonly path: ItemPath;
  /** Where the content that does not stand is kept; undefined where no client has settled the conflict yet. */
  readonly copy: ItemPath | undefined;
  /** Whose content that is. */
  readonly author: DeviceId;
  /** When it was changed: milliseconds since 1970 UTC. */
  readonly changedAtMs: number;
  /** Of a file; undefined for what has no size. */
  readonly sizeBytes: number | undefined;
}

/** The open conflicts of a synced folder, as far as it has heard of its namespace. */
export function conflictsIn({ remote }: Pick<StateView, 'remote'>): readonly OpenConflict[] {
  return openConflicts([...remote.pathsBelow('')].flatMap((path) => remote.get(path) ?? []));
}

/**
 * How many conflicted copies lie in a synced folder beside what they are copies of. Of so many items as a folder may have the
 * names alone are read: conflicts that no client has settled yet, which have no copy, are not among them.
 */
export function countCopies({ remote }: Pick<StateView, 'remote'>): number {
  const all = [...remote.pathsBelow('')];
  const has = (path: ItemPath): boolean => (remote.get(path)?.content.kind ?? 'deletion') !== 'deletion';
  const below = (directory: string): ItemPath[] => all.filter((path) => isAtOrBelow(path, directory) && has(path));
  return all.filter((path) => originalOf(path, { has, below }) !== undefined && has(path)).length;
}

/**
 * The open conflicts among the items of a namespace, ordered by path: rivals whose content people would miss, and conflicted
 * copies of a path that is still there. A copy whose original is gone is a file like any other.
 */
export function openConflicts(items: Iterable<Item>): readonly OpenConflict[] {
  const live = new Map<ItemPath, Item>();
  const conflicts: OpenConflict[] = [];
  for (const item of items) {
    for (const rival of conflictsOf(item)) conflicts.push(conflictOf(item.path, undefined, rival));
    if (item.content.kind !== 'deletion') live.set(item.path, item);
  }
  const paths = {
    has: (path: ItemPath) => live.has(path),
    below: (directory: string) => [...live.keys()].filter((path) => isAtOrBelow(path, directory)),
  };
  for (const [path, item] of live) {
    const original = originalOf(path, paths);
    if (original !== undefined) conflicts.push(conflictOf(original, path, item));
  }
  return conflicts.sort((a, b) => compareTexts(a.path, b.path) || compareTexts(a.copy ?? '', b.copy ?? ''));
}

function conflictOf(path: ItemPath, copy: ItemPath | undefined, { author, at, content }: ItemState): OpenConflict {
  const sizeBytes = content.kind === 'file' ? content.sizeBytes : undefined;
  return { path, copy, author, changedAtMs: at.wallMs, sizeBytes };
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
