import { open, type Database, type RootDatabase } from 'lmdb';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import { CURSOR_START, type Cursor, type NamespaceId } from '../../common/ids.js';
import type { SyncMode } from '../progress.js';
import type { CursorMove } from './cursors.js';
import type { FeedEndpoint } from './tree-store.js';

/** The directory of the trees, within that of the folder's state (docs/storage-format.md). */
export const TREES_DIRECTORY = 'trees';

export const NAMESPACE_KEY = 'namespace';
export const MODE_KEY = 'mode';
/** How far metadata's feed was read. */
const CURSOR_KEY = 'cursor';
const HISTORY_KEY = 'history';

/** Facts by their names, as text. */
export type Facts = Database<string, string>;

export function openFacts(root: RootDatabase<Buffer, Buffer>): Facts {
  return root.openDB({ name: 'facts', encoding: 'string' });
}

/** Under which name it is noted how far the feed of an endpoint was read. */
function cursorKeyOf(endpoint: FeedEndpoint): string {
  return endpoint === 'metadata' ? CURSOR_KEY : `${CURSOR_KEY} of ${endpoint}`;
}

/** The same for the history that came with that. */
function historyKeyOf(endpoint: FeedEndpoint): string {
  return endpoint === 'metadata' ? HISTORY_KEY : `${HISTORY_KEY} of ${endpoint}`;
}

/** Notes how far a feed was read. Within a transaction. */
export function noteCursor(facts: Facts, { endpoint, cursor, history }: CursorMove): void {
  facts.putSync(cursorKeyOf(endpoint), String(cursor));
  // With its cursor: a release that knows of no histories moves that alone.
  if (history === undefined) facts.removeSync(historyKeyOf(endpoint));
  else facts.putSync(historyKeyOf(endpoint), `${cursor} ${history}`);
}

/** How far the feed of an endpoint was read, as far as that is noted. */
export function notedCursor(facts: Facts, endpoint: FeedEndpoint): CursorMove {
  const noted = facts.get(cursorKeyOf(endpoint)) ?? String(CURSOR_START);
  const [cursor, history] = facts.get(historyKeyOf(endpoint))?.split(' ') ?? [];
  return {
    endpoint,
    cursor: Number(noted) as Cursor,
    history: cursor === noted ? (history as FeedHistory | undefined) : undefined,
  };
}

/** What a folder's state says about its namespace. */
export interface StateFacts {
  /** Undefined until the first sync has reached the namespace. */
  readonly namespaceId: NamespaceId | undefined;
  /** How far metadata's feed was read. */
  readonly cursor: Cursor;
  /** How the sync is connected, or the last one was; undefined where none has got that far. */
  readonly mode: SyncMode | undefined;
  /** Items of this folder that metadata is not known to have, though an agent may, or peers. */
  readonly itemsProvisional: number;
}

/** Reads the facts of the state in the directory at `path`, which another process may have open. It must be there. */
export async function readStateFacts(path: string): Promise<StateFacts> {
  const root = open<Buffer, Buffer>({ path, readOnly: true, maxDbs: 8 });
  try {
    const facts = openFacts(root);
    return {
      namespaceId: facts.get(NAMESPACE_KEY) as NamespaceId | undefined,
      cursor: notedCursor(facts, 'metadata').cursor,
      mode: facts.get(MODE_KEY) as SyncMode | undefined,
      itemsProvisional: countOf(root, 'provisional'),
    };
  } finally {
    await root.close();
  }
}

/** How many records a database has; an older release may not have made it. */
function countOf(root: RootDatabase<Buffer, Buffer>, name: string): number {
  const database = root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' }) as
    Database<Buffer, Buffer> | undefined;
  return (database?.getStats() as { entryCount: number } | undefined)?.entryCount ?? 0;
}
