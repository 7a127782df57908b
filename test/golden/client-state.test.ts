import { open } from 'lmdb';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LocalEntry } from '../../client/state/local-entry.js';
import { openLmdbTreeStore } from '../../client/state/lmdb-tree-store.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import type { AgentId, Cursor, DeviceId, NamespaceId, ReplicaId } from '../../common/ids.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const file: LocalEntry = {
  kind: 'file',
  path: 'a/é' as ItemPath,
  modifiedAtMs: 1_700_000_000_123,
  executable: true,
  stamp: {
    sizeBytes: 3,
    modifiedAtNs: 1_700_000_000_123_456_789n,
    changedAtNs: 1_700_000_001_000_000_000n,
    inode: 77n,
  },
  blocks: { hashes: Buffer.alloc(32, 0xab), sizes: [3] },
};
const unread: LocalEntry = { ...file, path: 'u' as ItemPath, modifiedAtMs: -1, executable: false, blocks: undefined };
const directory: LocalEntry = { kind: 'directory', path: 'a' as ItemPath };
const link: LocalEntry = { kind: 'symlink', path: 'l' as ItemPath, target: 'a/é' };
const device = '00112233445566778899aabbccddeeff' as DeviceId;
const change = { replicaId: 'ffeeddccbbaa99887766554433221100' as ReplicaId, counter: 5 };
const item: Item = {
  path: 'a' as ItemPath,
  version: [change],
  change,
  at: { wallMs: 1_700_000_000_123, logical: 4 },
  author: device,
  content: { kind: 'directory' },
  rivals: [],
};

/** All of the item but its path. */
const ITEM =
  '12260a2410051a206666656564646363626261613939383837373636353534343333323231313030' +
  '1a2030303131323233333434353536363737383839396161626263636464656566662a004a0908fb' +
  'd095ffbc311004';

const AGENT = '1'.repeat(32) as AgentId;

/** The bytes of an item whose path is one letter. */
const LENGTH = (3 + ITEM.length / 2).toString(16).padStart(8, '0');

/** Format 2: a change of any of these is a new format, with a migration. Keys and values in hexadecimal. */
const RECORDS = {
  local: {
    '61': '02',
    '612fc3a9':
      '01037b68e5cf8b010000030000000000000015cd853dfe9c971700cac471fe9c97174d00000000000000' +
      'abababababababababababababababababababababababababababababababab03000000',
    '6c': '03612fc3a9',
    '75': '0100ffffffffffffffff030000000000000015cd853dfe9c971700cac471fe9c97174d00000000000000',
  },
  remote: { '61': `0a0161${ITEM}` },
  synced: { '61': `0a0161${ITEM}` },
  offered: { '0000000000000001': `${LENGTH}0a016f${ITEM}${LENGTH}0a0170${ITEM}` },
  provisional: { '71': `0a0171${ITEM}` },
  facts: {
    '637572736f72': '323538',
    [Buffer.from(`cursor of agent ${AGENT}`).toString('hex')]: '37',
    [Buffer.from('history').toString('hex')]: Buffer.from('258 0123456789abcdef').toString('hex'),
    [Buffer.from(`history of agent ${AGENT}`).toString('hex')]: Buffer.from('7 fedcba9876543210').toString('hex'),
    '6d6f6465': '6167656e74',
    '6e616d657370616365': '3066'.repeat(16),
    '6e6f6e6365': '3565'.repeat(16),
  },
};

test('the state of a client is stored as docs/storage-format.md says', async () => {
  const path = join(temporaryDirectory(), 'state');
  const store = openLmdbTreeStore(path);
  await store.claim('0f'.repeat(16) as NamespaceId, '5e'.repeat(16));
  const local = new Map([file, unread, directory, link].map((entry) => [entry.path, entry]));
  const items = new Map([[item.path, item]]);
  const offered = new Map(['o', 'p'].map((path) => [path as ItemPath, { ...item, path: path as ItemPath }]));
  const provisional = new Map([['q' as ItemPath, { ...item, path: 'q' as ItemPath }]]);
  const cursors = {
    cursor: 258 as Cursor,
    history: '0123456789abcdef' as FeedHistory,
    cursorAt: [`agent ${AGENT}`, 7 as Cursor, 'fedcba9876543210' as FeedHistory],
  } as const;
  await store.write({ local, remote: items, synced: items, offered, provisional, ...cursors });
  await store.noteMode('agent');
  await store.close();

  const root = open<Buffer, Buffer>({ path, encoding: 'binary', keyEncoding: 'binary' });
  const recordsOf = (name: string): Record<string, string> => {
    const db = root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
    return Object.fromEntries([...db.getRange()].map(({ key, value }) => [key.toString('hex'), value.toString('hex')]));
  };
  for (const [name, records] of Object.entries(RECORDS)) expect(recordsOf(name), name).toEqual(records);
  await root.close();
});
