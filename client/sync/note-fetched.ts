import type { Item, ItemPath } from '../../common/feed/item.js';
import type { FolderPlaces } from '../act/folder-places.js';
import type { RoundParts } from '../act/round.js';
import type { Transfers } from '../act/transfers.js';
import { live, remoteChange, sameState, type LiveItem } from '../plan/difference.js';
import type { ReadFile } from '../plan/operation.js';
import { contentOfLocal, type LocalEntry } from '../state/local-entry.js';
import type { TreeStore } from '../state/tree-store.js';

export interface NotingParts {
  readonly store: TreeStore;
  readonly writer: RoundParts['writer'];
  readonly transfers: Pick<Transfers, 'read'>;
}

/**
 * Of what a first scan found new, notes what the folder holds as the namespace was last known to have it, or as an operation
 * had it in hand: an earlier process put it there and ended before it had noted that. It has to be noted before anything
 * newer of the namespace is read, or it would be taken for what the folder's user made beside that.
 *
 * Returns the paths that are noted, in the local and the synced tree, together. Until then neither tree knows of them: where
 * this process ends as well, the next one finds them again. Raises what `signal` aborts with, and errors of the state.
 */
export async function noteFetched(
  changes: ReadonlyMap<ItemPath, LocalEntry | undefined>,
  places: FolderPlaces,
  { store, writer, transfers }: NotingParts,
  signal: AbortSignal,
): Promise<ReadonlySet<ItemPath>> {
  const noted = new Set<ItemPath>();
  const unread: ReadFile[] = [];
  const noteIfAsKnown = (entry: LocalEntry): void => {
    const content = contentOfLocal(entry);
    const item = pendingItems(entry.path, store).find((pending) => content && sameState(content, pending.content));
    if (item === undefined) return;
    writer.add({ local: [[entry.path, entry]], synced: [[entry.path, item]] });
    noted.add(entry.path);
  };
  for (const entry of changes.values()) {
    if (entry === undefined) continue;
    if (entry.kind !== 'file') noteIfAsKnown(entry);
    else if (pendingItems(entry.path, store).some((item) => mayBe(entry, item)))
      unread.push({ kind: 'read-file', path: entry.path, file: entry });
  }
  if (unread.length > 0) {
    const onOutcomes: Parameters<Transfers['read']>[2] = (outcomes) => {
      for (const outcome of outcomes) if (outcome.outcome === 'read') noteIfAsKnown(outcome.entry);
    };
    await transfers.read(unread, places, onOutcomes, signal);
  }
  await writer.settled();
  return noted;
}

/** What an earlier process can have been bringing to a path: both sides have not agreed on it. */
function pendingItems(path: ItemPath, { remote, synced, inHand }: TreeStore): LiveItem[] {
  return [remote.get(path), inHand.get(path)].flatMap((item) => {
    const there = live(item);
    return there !== undefined && remoteChange(there, synced.get(path)) ? [there] : [];
  });
}

/** Whether a file could be what an item says, as far as that shows without reading it. */
function mayBe({ stamp, modifiedAtMs, executable }: Extract<LocalEntry, { kind: 'file' }>, { content }: Item): boolean {
  return (
    content.kind === 'file' &&
    content.sizeBytes === stamp.sizeBytes &&
    content.modifiedAtMs === modifiedAtMs &&
    content.executable === executable
  );
}
