import { open } from 'lmdb';
import { CURSOR_START, type Cursor, type NamespaceId } from '../../common/ids.js';

/** The directory of the trees, within that of the folder's state (docs/storage-format.md). */
export const TREES_DIRECTORY = 'trees';

/** What a folder's state says about its namespace. */
export interface StateFacts {
  /** Undefined until the first sync has reached the namespace. */
  readonly namespaceId: NamespaceId | undefined;
  /** How far the feed was read. */
  readonly cursor: Cursor;
}

/** Reads the facts of the state in the directory at `path`, which another process may have open. It must be there. */
export async function readStateFacts(path: string): Promise<StateFacts> {
  const root = open<Buffer, Buffer>({ path, readOnly: true, maxDbs: 8 });
  try {
    const facts = root.openDB<string, string>({ name: 'facts', encoding: 'string' });
    return {
      namespaceId: facts.get('namespace') as NamespaceId | undefined,
      cursor: Number(facts.get('cursor') ?? CURSOR_START) as Cursor,
    };
  } finally {
    await root.close();
  }
}
