import { sameBytes, sameContent, type Item, type ItemContent } from '../../common/feed/item.js';
import { compareVersions } from '../../common/feed/version.js';
import { contentOfLocal, type LocalEntry } from '../state/local-entry.js';

/** An item that is there: no deletion. */
export type LiveItem = Item & { readonly content: Exclude<ItemContent, { kind: 'deletion' }> };

/** `item` where it is there and no deletion. */
export function live(item: Item | undefined): LiveItem | undefined {
  return item !== undefined && item.content.kind !== 'deletion' ? (item as LiveItem) : undefined;
}

/** Whether two contents are equal in every respect that is synced, the modification time included. */
export function sameState(a: ItemContent, b: ItemContent): boolean {
  return sameContent(a, b) && (a.kind !== 'file' || b.kind !== 'file' || a.modifiedAtMs === b.modifiedAtMs);
}

/** Whether both are files, with the same bytes. */
export function haveSameBytes(a: ItemContent, b: ItemContent | undefined): boolean {
  return a.kind === 'file' && b?.kind === 'file' && sameBytes(a, b);
}

/** Whether the folder's entry differs from the last agreed item; `unread` where only its blocks can tell. */
export function localChange(entry: LocalEntry | undefined, synced: Item | undefined): boolean | 'unread' {
  if (entry === undefined || synced === undefined) return entry !== synced;
  if (entry.kind !== synced.content.kind) return true;
  const content = contentOfLocal(entry);
  return content === undefined ? 'unread' : !sameState(content, synced.content);
}

/** Whether the namespace's item differs from the last agreed one. */
export function remoteChange(remote: Item | undefined, synced: Item | undefined): boolean {
  // The namespace records every deletion: where it has nothing at all, it has not spoken.
  if (remote === undefined) return false;
  if (synced === undefined) return remote.content.kind !== 'deletion';
  return compareVersions(remote.version, synced.version) !== 'equal' || !sameState(remote.content, synced.content);
}
