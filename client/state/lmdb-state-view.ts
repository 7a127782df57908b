import { open, type Database } from 'lmdb';
import type { Item } from '../../common/feed/item.js';
import type { LocalEntry } from './local-entry.js';
import { LmdbOffers } from './lmdb-offers.js';
import { itemCodec, LmdbTree, localEntryCodec } from './lmdb-tree-store.js';
import type { Tree, Trees } from './tree-store.js';

/** What a folder's state says, read while another process may be writing it. */
export interface StateView extends Trees {
  readonly remote: Tree<Item>;
  readonly local: Tree<LocalEntry>;
  readonly synced: Tree<Item>;
  /** What is read is as of the turn of the event loop in which it is read. Nothing may be read afterwards. */
  close(): Promise<void>;
}

const NAMES = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** Opens the state in the directory at `path`, which must be there, without changing it. */
export function openStateView(path: string): StateView {
  const root = open<Buffer, Buffer>({ path, ...NAMES, readOnly: true, maxDbs: 8 });
  const db = (name: string): Database<Buffer, Buffer> => root.openDB({ name, ...NAMES });
  const items = itemCodec();
  const synced = new LmdbTree(db('synced'), items);
  // A state that an older release has written has none.
  const told = db('provisional') as Database<Buffer, Buffer> | undefined;
  return {
    remote: new LmdbTree(db('remote'), items),
    synced,
    local: new LmdbTree(db('local'), localEntryCodec),
    provisional: told === undefined ? { get: () => undefined } : new LmdbTree(told, items),
    offered: new LmdbOffers(db('offered'), items, synced),
    close: () => root.close(),
  };
}
