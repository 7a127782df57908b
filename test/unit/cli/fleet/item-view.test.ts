import { describe, expect, it } from 'vitest';
import { formatItems, itemDocument, selectListed } from '../../../../cli/fleet/item-view.js';
import { NO_BLOCKS, type FeedEntry, type ItemContent, type ItemPath } from '../../../../common/feed/item.js';
import { itemOf } from '../../../../common/feed/merge.js';
import type { Cursor, DeviceId, ReplicaId } from '../../../../common/ids.js';

const author = 'd'.repeat(32) as DeviceId;
const directory = { kind: 'directory' } as const;
const file = {
  kind: 'file',
  sizeBytes: 1234,
  modifiedAtMs: 1_767_225_599_000,
  executable: false,
  blocks: NO_BLOCKS,
} as const;

function entry(path: string, content: ItemContent, cursor = 1): FeedEntry {
  const change = { replicaId: 'e'.repeat(32) as ReplicaId, counter: 1 };
  const state = { change, at: { wallMs: 1, logical: 0 }, author, content };
  return { cursor: cursor as Cursor, item: itemOf(path as ItemPath, [change], [state]) };
}

const entries = [
  entry('b', directory),
  entry('b/z', file),
  entry('b/c', directory),
  entry('b/c/d', file),
  entry('a', file),
  entry('b/gone', { kind: 'deletion' }),
  entry('b2', file),
];

function list(path: string, recursive = false): readonly string[] | undefined {
  return selectListed(entries, path as ItemPath | '', recursive)?.map(({ item }) => item.path);
}

describe('selectListed', () => {
  it.each([
    ['', false, ['a', 'b', 'b2']],
    ['', true, ['a', 'b', 'b/c', 'b/c/d', 'b/z', 'b2']],
    ['b', false, ['b/c', 'b/z']],
    ['b', true, ['b/c', 'b/c/d', 'b/z']],
    ['b/z', false, ['b/z']],
    ['b/z', true, ['b/z']],
    ['b/gone', false, undefined],
    ['nothing', false, undefined],
  ])('at %j, recursive %j', (path, recursive, expected) => {
    expect(list(path, recursive)).toEqual(expected);
  });

  it('lists an empty namespace as nothing, which is not nothing there', () => {
    expect(selectListed([], '', false)).toEqual([]);
  });
});

describe('items', () => {
  const documents = [
    entry('dir', directory),
    entry('dir/file', file, 7),
    entry('dir/run', { ...file, executable: true }),
    entry('link\n', { kind: 'symlink', target: 'dir/\u001b' }),
  ].map(itemDocument);

  it('are documents with what their kind has', () => {
    expect(documents[0]).toEqual({ path: 'dir', kind: 'directory', cursor: 1, author });
    const { sizeBytes, modifiedAtMs, executable } = file;
    expect(documents[1]).toEqual({
      path: 'dir/file',
      kind: 'file',
      cursor: 7,
      author,
      sizeBytes,
      modifiedAtMs,
      executable,
    });
    expect(documents[3]).toMatchObject({ kind: 'symlink', target: 'dir/\u001b' });
  });

  it('are shown one a line', () => {
    expect(formatItems(documents).split('\n')).toEqual([
      'KIND       BYTES  MODIFIED (UTC)       PATH',
      'directory                              dir/',
      'file       1,234  2025-12-31 23:59:59  dir/file',
      'program    1,234  2025-12-31 23:59:59  dir/run',
      'symlink                                link\\n -> dir/\\u001b',
    ]);
    expect(formatItems([])).toBe('');
  });
});
