import { beforeEach, describe, expect, test } from 'vitest';
import { changesOf } from '../../../../client/act/change-folder-operations.js';
import type { LocalFile } from '../../../../client/state/local-entry.js';
import type { ItemContent } from '../../../../common/feed/item.js';
import { wireLimits } from '../../../../common/limits.js';
import { DELETION, DIRECTORY } from '../../../support/feed/sample-states.js';
import {
  HERE,
  item,
  localFile,
  NOW_MS,
  OURS,
  PlannedTrees,
  text,
  THEIRS,
  THERE,
} from '../../../support/client/planned-trees.js';

let here: PlannedTrees;
beforeEach(() => {
  here = new PlannedTrees();
});

describe('one path', () => {
  test('that agrees needs nothing', async () => {
    await here.agreed({ d: DIRECTORY, 'd/file': 'text', link: { kind: 'symlink', target: 'd' } });
    expect(here.planned().steps).toEqual([]);
  });

  test('that changed here is committed with a version that dominates', async () => {
    await here.agreed({ file: 'old' });
    await here.folderHas(localFile('file', 'new!', { blocks: undefined }));
    const { operations } = here.planned();
    const change = { replicaId: HERE, counter: 1 };
    const at = { wallMs: 1, logical: 1 };
    const offer = { version: [change, { replicaId: THERE, counter: 1 }], change, at, author: OURS };
    expect(operations).toMatchObject([
      { kind: 'commit-item', path: 'file', offer, again: undefined, change: { from: 'folder' } },
    ]);
  });

  test('that changed here was changed when the file system says, and after what it replaces', async () => {
    const { stamp } = localFile('', '');
    const at = (changedAtMs: number): LocalFile['stamp'] => ({
      ...stamp,
      changedAtNs: BigInt(changedAtMs) * 1_000_000n,
    });
    await here.agreed({ file: 'old' });
    for (const [changedAtMs, wallMs, logical] of [
      [NOW_MS - 5000, NOW_MS - 5000, 0],
      [NOW_MS + 5000, NOW_MS, 0],
      [-7, 1, 1],
    ] as const) {
      await here.folderHas(localFile('file', 'new', { stamp: at(changedAtMs) }));
      expect(here.planned().operations).toMatchObject([{ offer: { at: { wallMs, logical } } }]);
    }
    await here.folderLacks('file');
    expect(here.planned().operations).toMatchObject([{ offer: { at: { wallMs: NOW_MS, logical: 0 } } }]);
  });

  test('that changed there is fetched over what is here', async () => {
    await here.agreed({ file: 'old' });
    await here.namespaceHas('file', text('new'));
    expect(here.planned().operations).toMatchObject([{ kind: 'fetch-file', replaces: localFile('file', 'old') }]);
  });

  test('whose time alone changed there is only touched', async () => {
    await here.agreed({ file: 'text' });
    await here.namespaceHas('file', text('text', 77));
    expect(here.planned().steps).toEqual(['set-attributes file']);
  });

  test('that changed on both sides to the same is adopted', async () => {
    await here.agreed({ file: 'old' });
    await here.folderHas(localFile('file', 'new'));
    await here.namespaceHas('file', text('new'));
    expect(here.planned().steps).toEqual(['adopt file']);
  });

  test('that changed on both sides is read, then committed as what was seen when it was changed', async () => {
    await here.agreed({ file: 'old' });
    await here.folderHas(localFile('file', 'ours', { blocks: undefined }));
    await here.namespaceHas('file', text('theirs'));
    expect(here.planned().steps).toEqual(['read-file file']);
    await here.folderHas(localFile('file', 'ours'));
    const version = [
      { replicaId: HERE, counter: 1 },
      { replicaId: THERE, counter: 1 },
    ];
    expect(here.planned().operations).toMatchObject([{ kind: 'commit-item', path: 'file', offer: { version } }]);
  });

  test('that was new on both sides is committed as what nobody has seen', async () => {
    await here.folderHas(localFile('file', 'ours'));
    await here.namespaceHas('file', text('theirs'));
    const version = [{ replicaId: HERE, counter: 1 }];
    expect(here.planned().operations).toMatchObject([{ kind: 'commit-item', path: 'file', offer: { version } }]);
  });

  test('that changed on both sides is kept beside where the namespace could not hold both', async () => {
    await here.agreed({ file: 'old' });
    await here.folderHas(localFile('file', 'ours'));
    const blocks = wireLimits.blocksPerItem;
    const large = { hashes: Buffer.alloc(blocks * 32), sizes: Array.from({ length: blocks }, () => 1) };
    const theirs: ItemContent = { kind: 'file', sizeBytes: blocks, modifiedAtMs: 0, executable: false, blocks: large };
    await here.namespaceHas('file', theirs);
    expect(here.planned().operations).toMatchObject([
      { kind: 'keep-conflict', path: 'file', keptAs: 'file (conflicted copy, aaaaaaaa, 2027-01-15)' },
    ]);
  });

  test('of which only attributes changed here loses nothing to what changed there', async () => {
    await here.agreed({ file: 'old', directory: 'old' });
    for (const path of ['file', 'directory']) await here.folderHas(localFile(path, 'old', { modifiedAtMs: 99 }));
    await here.namespaceHas('file', text('theirs'));
    await here.namespaceHas('directory', DIRECTORY);
    expect(here.planned().steps).toEqual(['remove directory', 'fetch-file file']);
  });

  test('that was edited on one side and deleted on the other stays, edited', async () => {
    await here.agreed({ here: 'old', there: 'old' });
    await here.folderHas(localFile('here', 'edited'));
    await here.namespaceHas('here', DELETION);
    await here.folderLacks('there');
    await here.namespaceHas('there', text('edited'));
    expect(here.planned().steps).toEqual(['fetch-file there', 'commit-item here']);
  });

  test('that the namespace holds in an older state than was agreed is committed beside that', async () => {
    await here.agreed({ file: 'newer' });
    const newer = item('file', 2, text('newer'));
    await here.trees.write({ synced: new Map([[newer.path, newer]]) });
    await here.trees.write({ forgetRemote: true, remote: new Map([[newer.path, item('file', 1, text('older'))]]) });
    expect(here.planned().operations).toMatchObject([
      { kind: 'commit-item', path: 'file', offer: { version: [{ replicaId: HERE, counter: 1 }] } },
    ]);
  });

  test('that an older namespace has lost is not taken for deleted', async () => {
    await here.agreed({ file: 'text' });
    await here.trees.write({ forgetRemote: true });
    expect(here.planned().steps).toEqual([]);
  });

  test('that is to be left alone is left alone', async () => {
    await here.agreed({ file: 'old' });
    await here.folderLacks('file');
    expect(here.planned({ ignored: 'file' }).steps).toEqual([]);
    expect(here.planned().steps).toEqual(['commit-item file']);
  });
});

describe('a directory', () => {
  test('is made before what is in it, also where the namespace has none', async () => {
    await here.namespaceHas('a/b/file', text('text'));
    await here.namespaceHas('a', DIRECTORY);
    expect(here.planned().steps).toEqual(['make-directory a', 'make-directory a/b', 'fetch-file a/b/file']);
  });

  test('is removed after what is in it', async () => {
    await here.agreed({ d: DIRECTORY, 'd/e': DIRECTORY, 'd/e/file': 'text' });
    for (const path of ['d', 'd/e', 'd/e/file']) await here.namespaceHas(path, DELETION);
    expect(here.planned().steps).toEqual(['remove d/e/file', 'remove d/e', 'remove d']);
    expect(here.planned({ scope: ['d'] }).steps).toEqual(['remove d/e/file', 'remove d/e', 'remove d']);
  });

  test('lives while something new is in it, wherever it was deleted', async () => {
    await here.agreed({ here: DIRECTORY, there: DIRECTORY });
    await here.namespaceHas('there', DELETION);
    await here.folderHas(localFile('there/new', 'text'));
    await here.folderLacks('here');
    await here.namespaceHas('here/new', text('text'));
    expect(here.planned().steps).toEqual([
      'make-directory here',
      'fetch-file here/new',
      'commit-item there',
      'commit-item there/new',
    ]);
  });

  test('whose deletion is committed comes after what was in it', async () => {
    await here.agreed({ d: DIRECTORY, 'd/file': 'text' });
    await here.folderLacks('d');
    await here.folderLacks('d/file');
    expect(here.planned().steps).toEqual(['commit-item d/file', 'commit-item d']);
  });

  test('gives way to a file once nothing is left in it', async () => {
    await here.agreed({ d: DIRECTORY, 'd/file': 'text' });
    await here.namespaceHas('d/file', DELETION);
    await here.namespaceHas('d', text('now a file'));
    expect(here.planned().steps).toEqual(['remove d/file', 'remove d']);
    await here.folderHas(localFile('d/ours', 'ours'));
    expect(here.planned().steps).toEqual(['remove d/file', 'commit-item d']);
    await here.folderLacks('d/file');
    expect(here.planned().steps).toEqual(['adopt d/file', 'commit-item d']);
    expect(here.planned({ conflicts: 'leave to others' }).steps).toEqual(['keep-conflict d']);
  });

  test('takes the path from a file that the namespace has above other items', async () => {
    await here.namespaceHas('p', text('file'));
    await here.namespaceHas('p/x', text('below'));
    const [operation] = here.planned({ scope: ['p/x'] }).operations;
    expect(operation).toMatchObject({
      kind: 'settle',
      path: 'p',
      items: [
        { content: text('file'), author: THEIRS },
        { path: 'p', content: DIRECTORY },
      ],
    });
    expect(here.planned({ conflicts: 'leave to others' }).steps).toEqual([]);
  });
});

describe('a file whose path others have made a directory', () => {
  test('gives way also where it was renamed to a path below', async () => {
    await here.agreed({ file: 'old' });
    await here.namespaceHas('file', DIRECTORY);
    await here.namespaceHas('file/moved', text('old'), 1);
    expect(here.planned().steps).toEqual(['remove file']);
  });

  test('and so do two that were renamed to paths below each other, however far', async () => {
    await here.agreed({ one: 'first', other: 'second' });
    for (const name of ['one', 'other', 'other/deep']) await here.namespaceHas(name, DIRECTORY);
    await here.namespaceHas('other/deep/moved', text('first'), 1);
    await here.namespaceHas('one/moved', text('second'), 1);
    expect(here.planned().steps).toEqual(['remove other', 'remove one']);
  });

  test('but not before the one that has to give way first', async () => {
    await here.agreed({ one: 'first', other: 'second' });
    for (const name of ['one', 'other']) await here.namespaceHas(name, DIRECTORY);
    await here.namespaceHas('other/moved', text('first'), 1);
    expect(here.planned().steps).toEqual(['remove other']);
  });
});

test('what was renamed elsewhere is renamed here, each file once', async () => {
  await here.agreed({ one: 'same', two: 'same', empty: '' });
  for (const path of ['one', 'two', 'empty']) await here.namespaceHas(path, DELETION);
  for (const path of ['a', 'b', 'c']) await here.namespaceHas(path, text('same'));
  expect(here.planned().steps).toEqual(['move a', 'move b', 'remove empty', 'fetch-file c']);
});

describe('a file that was given its new name', () => {
  const OTHER_TIME = { modifiedAtMs: 5 };

  beforeEach(async () => {
    await here.agreed({ old: 'same' });
    await here.namespaceHas('old', DELETION);
    await here.namespaceHas('new', { ...text('same'), ...OTHER_TIME });
    const [move] = here.planned().operations;
    if (move?.kind !== 'move') throw new Error('nothing was to be moved');
    const { local = [], synced = [] } = changesOf(move, { ...move.source, path: move.path });
    await here.trees.write({ local: new Map(local), synced: new Map(synced) });
  });

  test('gets its attributes next', () => {
    expect(here.planned().steps).toEqual(['set-attributes new']);
  });

  test('is no change of this folder where its item is replaced before', async () => {
    await here.namespaceHas('new', text('another'), 3);
    expect(here.planned().steps).toEqual(['fetch-file new']);
    await here.namespaceHas('new', DIRECTORY, 4);
    expect(here.planned().steps).toEqual(['remove new']);
  });
});
