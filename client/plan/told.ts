import { conflictsOf } from '../../common/feed/conflicts.js';
import { statesOf, type Item, type ItemPath } from '../../common/feed/item.js';
import { hasSeen, sameChange } from '../../common/feed/merge.js';
import { contentOfLocal, type LocalEntry } from '../state/local-entry.js';
import type { Trees } from '../state/tree-store.js';
import { haveSameBytes, live, localChange, sameState, type LiveItem } from './difference.js';
import type { Change, CommitItem } from './operation.js';
import { situationOf, type Situation } from './situation.js';

/**
 * Whether the folder no longer holds what an agent was told of the path, but what came of that: it is nothing that this
 * folder could say to metadata as well.
 */
export function hasMovedOn(trees: Trees, path: ItemPath): boolean {
  const told = trees.provisional.get(path);
  const situation = situationOf(trees, path);
  const { remote, base, local } = situation;
  if (told === undefined || remote === undefined || !hasSeen(remote, told)) return false;
  // What is about to be replaced may come back, where the folder cannot do that.
  if (isSide(remote, told) && localChange(local, live(base)) !== false) return false;
  if (isGivenUp(situation, told)) return false;
  return sayAgain(situation, told) === undefined;
}

/** Whether the folder has something else in the place of what was told, which is one side of a conflict. */
export function isReplacing({ remote, base, local }: Situation, told: Item): boolean {
  if (remote === undefined || base === undefined || conflictsOf(remote).length === 0 || !hasSeen(base, told))
    return false;
  return isSide(remote, told) && localChange(local, live(base)) !== false;
}

/**
 * Whether what was told is one side of a conflict, and the folder has had what stands put in its place by its user: nobody
 * else knows that this side is gone.
 */
export function isGivenUp({ remote, base, local }: Situation, told: Item): boolean {
  if (remote === undefined || local === undefined || localChange(local, live(base)) !== false) return false;
  const content = contentOfLocal(local);
  if (content === undefined || sameState(content, told.content)) return false;
  return conflictsOf(remote).some((state) => sameChange(state.change, told.change));
}

/** Whether what was told is one of the states of the path. */
export function isSide(remote: Item, { change }: Item): boolean {
  return statesOf(remote).some((state) => sameChange(state.change, change));
}

/**
 * Says what was said before, as it was, unless the folder has moved on from it. What lost and is no conflict is said also then: a
 * deletion beside which something stands, attributes of the same bytes. Nobody else says that, and whoever has not heard it
 * takes what it replaced for a side of a conflict.
 */
export function sayAgain({ path, remote, base, local }: Situation, said: Item): CommitItem | undefined {
  const item = { kind: 'commit-item', path, offer: said, again: said } as const;
  if (local !== undefined && remote !== undefined && isSide(remote, said)) {
    if (said.content.kind === 'deletion')
      return { ...item, change: { from: 'deletion', synced: undefined }, isPast: true };
    const isTaken = localChange(local, live(base)) === false && hasOtherAttributes(local, said);
    if (isTaken) return { ...item, change: folderChange(local, undefined), isPast: true };
  }
  const content = local === undefined ? ({ kind: 'deletion' } as const) : contentOfLocal(local);
  if (content === undefined || !sameState(content, said.content)) return undefined;
  const synced = live(base);
  const change = local === undefined ? ({ from: 'deletion', synced } as const) : folderChange(local, undefined);
  return { ...item, change };
}

function hasOtherAttributes(local: LocalEntry, { content: said }: Item): boolean {
  const content = contentOfLocal(local);
  return content !== undefined && haveSameBytes(content, said) && !sameState(content, said);
}

/** The folder's state as the content of a commit; a file only if it is not as `synced` says after all. */
export function folderChange(entry: LocalEntry, synced: LiveItem | undefined): Change {
  return { from: 'folder', entry, synced: entry.kind === 'file' ? synced : undefined };
}
