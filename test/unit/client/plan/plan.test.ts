import { beforeEach, describe, expect, test } from 'vitest';
import type { Operation } from '../../../../client/plan/operation.js';
import { everyPath, plan } from '../../../../client/plan/plan.js';
import type { LocalEntry, LocalFile } from '../../../../client/state/local-entry.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { hashBlockSync } from '../../../../common/block-hash.js';
import type { Item, ItemContent, ItemPath } from '../../../../common/feed/item.js';
import type { DeviceId } from '../../../../common/ids.js';

const OURS = 'a'.repeat(32) as DeviceId;
const THEIRS = 'b'.repeat(32) as DeviceId;
const DIRECTORY = { kind: 'directory' } as const;
const DELETION = { kind: 'deletion' } as const;

let trees: MemoryTreeStore;
beforeEach(() => {
  trees = new MemoryTreeStore();
});

const blocksOf = (text: string) => ({ hashes: hashBlockSync(Buffer.from(text)), sizes: [text.length] });

function text(content: string, modifiedAtMs = 0): ItemContent {
  return { kind: 'file', sizeBytes: content.length, modifiedAtMs, executable: false, blocks: blocksOf(content) };
}

function item(path: string, counter: number, content: ItemContent): Item {
  return { path: path as ItemPath, version: [{ deviceId: THEIRS, counter }], author: THEIRS, content };
}

function localFile(path: string, content: string, more: Partial<LocalFile> = {}): LocalFile {
  const stamp = { sizeBytes: content.length, modifiedAtNs: 0n, changedAtNs: 0n, inode: 1n };
  const file = { kind: 'file', path: path as ItemPath, stamp, modifiedAtMs: 0, executable: false } as const;
  return { ...file, blocks: blocksOf(content), ...more };
}

function localEntry(path: string, content: ItemContent): LocalEntry {
  if (content.kind === 'symlink') return { ...content, path: path as ItemPath };
  return { kind: 'directory', path: path as ItemPath };
}

/** Both sides agree on these: a text is a file's. */
async function agreed(entries: Record<string, string | ItemContent>): Promise<void> {
  for (const [path, entry] of Object.entries(entries)) {
    const content = typeof entry === 'string' ? text(entry) : entry;
    await namespaceHas(path, content, 1);
    await trees.write({ synced: new Map([[path as ItemPath, item(path, 1, content)]]) });
    await folderHas(typeof entry === 'string' ? localFile(path, entry) : localEntry(path, entry));
  }
}

async function namespaceHas(path: string, content: ItemContent, counter = 2): Promise<void> {
  await trees.write({ remote: new Map([[path as ItemPath, item(path, counter, content)]]) });
}

async function folderHas(...entries: LocalEntry[]): Promise<void> {
  await trees.write({ local: new Map(entries.map((entry) => [entry.path, entry])) });
}

async function folderLacks(path: string): Promise<void> {
  await trees.write({ local: new Map([[path as ItemPath, undefined]]) });
}

function planned(scope?: readonly string[], ignored?: string): { steps: string[]; operations: readonly Operation[] } {
  const paths = scope === undefined ? everyPath(trees) : (scope as ItemPath[]);
  const rules = { device: OURS, nowMs: 0, leaveAlone: (path: ItemPath) => path === ignored };
  const { operations } = plan(trees, paths, rules);
  return { operations, steps: operations.map(({ kind, path }) => `${kind} ${path}`) };
}

describe('one path', () => {
  test('that agrees needs nothing', async () => {
    await agreed({ d: DIRECTORY, 'd/file': 'text', link: { kind: 'symlink', target: 'd' } });
    expect(planned().steps).toEqual([]);
  });

  test('that changed here is committed with a version that dominates', async () => {
    await agreed({ file: 'old' });
    await folderHas(localFile('file', 'new!', { blocks: undefined }));
    const { operations } = planned();
    const version = [
      { deviceId: OURS, counter: 1 },
      { deviceId: THEIRS, counter: 1 },
    ];
    expect(operations).toMatchObject([{ kind: 'commit-item', path: 'file', version, change: { from: 'folder' } }]);
  });

  test('that changed there is fetched over what is here', async () => {
    await agreed({ file: 'old' });
    await namespaceHas('file', text('new'));
    expect(planned().operations).toMatchObject([{ kind: 'fetch-file', replaces: localFile('file', 'old') }]);
  });

  test('whose time alone changed there is only touched', async () => {
    await agreed({ file: 'text' });
    await namespaceHas('file', text('text', 77));
    expect(planned().steps).toEqual(['set-attributes file']);
  });

  test('that changed on both sides to the same is adopted', async () => {
    await agreed({ file: 'old' });
    await folderHas(localFile('file', 'new'));
    await namespaceHas('file', text('new'));
    expect(planned().steps).toEqual(['adopt file']);
  });

  test('that changed on both sides is read before it is called a conflict', async () => {
    await agreed({ file: 'old' });
    await folderHas(localFile('file', 'ours', { blocks: undefined }));
    await namespaceHas('file', text('theirs'));
    expect(planned().steps).toEqual(['read-file file']);
    await folderHas(localFile('file', 'ours'));
    expect(planned().operations).toMatchObject([
      { kind: 'keep-conflict', path: 'file', keptAs: 'file (conflicted copy, aaaaaaaa, 1970-01-01)' },
    ]);
  });

  test('that was edited on one side and deleted on the other stays, edited', async () => {
    await agreed({ here: 'old', there: 'old' });
    await folderHas(localFile('here', 'edited'));
    await namespaceHas('here', DELETION);
    await folderLacks('there');
    await namespaceHas('there', text('edited'));
    expect(planned().steps).toEqual(['fetch-file there', 'commit-item here']);
  });

  test('that carries a version which the namespace accepted with other content is kept beside it', async () => {
    await agreed({ file: 'never accepted' });
    await namespaceHas('file', text('accepted'), 1);
    expect(planned().steps).toEqual(['keep-conflict file']);
  });

  test('that an older namespace has lost is not taken for deleted', async () => {
    await agreed({ file: 'text' });
    await trees.write({ forgetRemote: true });
    expect(planned().steps).toEqual([]);
  });

  test('that is to be left alone is left alone', async () => {
    await agreed({ file: 'old' });
    await folderLacks('file');
    expect(planned(undefined, 'file').steps).toEqual([]);
    expect(planned().steps).toEqual(['commit-item file']);
  });
});

describe('a directory', () => {
  test('is made before what is in it, also where the namespace has none', async () => {
    await namespaceHas('a/b/file', text('text'));
    await namespaceHas('a', DIRECTORY);
    expect(planned().steps).toEqual(['make-directory a', 'make-directory a/b', 'fetch-file a/b/file']);
  });

  test('is removed after what is in it', async () => {
    await agreed({ d: DIRECTORY, 'd/e': DIRECTORY, 'd/e/file': 'text' });
    for (const path of ['d', 'd/e', 'd/e/file']) await namespaceHas(path, DELETION);
    expect(planned().steps).toEqual(['remove d/e/file', 'remove d/e', 'remove d']);
    expect(planned(['d']).steps).toEqual(['remove d/e/file', 'remove d/e', 'remove d']);
  });

  test('lives while something new is in it, wherever it was deleted', async () => {
    await agreed({ here: DIRECTORY, there: DIRECTORY });
    await namespaceHas('there', DELETION);
    await folderHas(localFile('there/new', 'text'));
    await folderLacks('here');
    await namespaceHas('here/new', text('text'));
    expect(planned().steps).toEqual([
      'make-directory here',
      'fetch-file here/new',
      'commit-item there',
      'commit-item there/new',
    ]);
  });

  test('whose deletion is committed comes after what was in it', async () => {
    await agreed({ d: DIRECTORY, 'd/file': 'text' });
    await folderLacks('d');
    await folderLacks('d/file');
    expect(planned().steps).toEqual(['commit-item d/file', 'commit-item d']);
  });

  test('gives way to a file once nothing is left in it', async () => {
    await agreed({ d: DIRECTORY, 'd/file': 'text' });
    await namespaceHas('d/file', DELETION);
    await namespaceHas('d', text('now a file'));
    expect(planned().steps).toEqual(['remove d/file', 'remove d']);
    await folderHas(localFile('d/ours', 'ours'));
    expect(planned().steps).toEqual(['remove d/file']);
    await folderLacks('d/file');
    expect(planned().steps).toEqual(['keep-conflict d']);
  });

  test('takes the path from a file that the namespace has above other items', async () => {
    await namespaceHas('p', text('file'));
    await namespaceHas('p/x', text('below'));
    const [copy] = planned(['p/x']).operations;
    expect(copy).toMatchObject({ kind: 'commit-item', change: { from: 'namespace', content: text('file') } });
    await namespaceHas(copy?.path ?? '', text('file'));
    const next = planned(['p']).operations.filter(({ path }) => path === 'p');
    expect(next).toMatchObject([{ kind: 'commit-item', change: { from: 'namespace', content: DIRECTORY } }]);
  });
});

test('what was renamed elsewhere is renamed here, each file once', async () => {
  await agreed({ one: 'same', two: 'same', empty: '' });
  for (const path of ['one', 'two', 'empty']) await namespaceHas(path, DELETION);
  for (const path of ['a', 'b', 'c']) await namespaceHas(path, text('same'));
  expect(planned().steps).toEqual(['move a', 'move b', 'remove empty', 'fetch-file c']);
});
