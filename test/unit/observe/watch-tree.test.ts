import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../common/clock.js';
import { TreeWatch } from '../../../client/observe/watch-tree.js';
import type { ChangeHint } from '../../../client/observe/pending-changes.js';
import { plant, scratchFolder } from '../../support/observe/scratch-folder.js';

const never = new AbortController().signal;

async function watched(root: string): Promise<TreeWatch> {
  const watch = await TreeWatch.start({
    root,
    clock: systemClock,
    report: (message) => {
      throw new Error(message);
    },
  });
  onTestFinished(() => watch.close());
  return watch;
}

/** Hints until one says that `path` may have changed. */
async function hintAt(watch: TreeWatch, path: string): Promise<ChangeHint> {
  for (;;) {
    const hint = await watch.next(never);
    if (hint.kind === 'everything' || hint.diskPaths.has(path)) return hint;
  }
}

describe('watching real files', () => {
  test.each<[string, (root: string) => void]>([
    ['written', (root) => plant(root, 'a/file', 'new content')],
    ['made', (root) => plant(root, 'a/new')],
    ['removed', (root) => rmSync(join(root, 'a/file'))],
    ['moved', (root) => renameSync(join(root, 'a/file'), join(root, 'a/moved'))],
    ['made of another kind', (root) => symlinkSync('file', join(root, 'a/link'))],
  ])('hints at what was %s', async (_what, change) => {
    const root = scratchFolder();
    plant(root, 'a/file');
    const watch = await watched(root);
    change(root);
    const hint = await watch.next(never);
    expect(hint.kind).toBe('paths');
    if (hint.kind === 'paths') {
      expect([...hint.diskPaths].every((path) => path.startsWith('a/') && dirname(path) === 'a')).toBe(true);
    }
  });

  test('does not hint at what the client keeps for itself', async () => {
    const root = scratchFolder();
    plant(root, '.drystone/data');
    const watch = await watched(root);
    plant(root, '.drystone/data', 'changed');
    plant(root, '.drystone/more');
    plant(root, 'file');
    expect(await watch.next(never)).toEqual({ kind: 'paths', diskPaths: new Set(['file']) });
  });

  test('watches through a symlink to the folder', async () => {
    const real = scratchFolder();
    const link = join(scratchFolder(), 'link');
    symlinkSync(real, link);
    const watch = await watched(link);
    plant(real, 'file');
    expect(await watch.next(never)).toEqual({ kind: 'paths', diskPaths: new Set(['file']) });
  });

  test('sees into directories that were moved in with what they hold', async () => {
    const root = scratchFolder();
    const outside = scratchFolder();
    plant(outside, 'tree/deep/deeper/file');
    const watch = await watched(root);
    renameSync(join(outside, 'tree'), join(root, 'tree'));
    await hintAt(watch, 'tree');
    plant(root, 'tree/deep/deeper/file', 'changed');
    await hintAt(watch, 'tree/deep/deeper/file');
  });

  test('knows the directories below a renamed one by their new names', async () => {
    const root = scratchFolder();
    plant(root, 'old/deep/file');
    const watch = await watched(root);
    renameSync(join(root, 'old'), join(root, 'new'));
    await hintAt(watch, 'new');
    plant(root, 'new/deep/file', 'changed');
    expect(await hintAt(watch, 'new/deep/file')).toBeDefined();
  });

  test('sees into directories that were made one in the other at once', async () => {
    const root = scratchFolder();
    const watch = await watched(root);
    mkdirSync(join(root, 'a/b/c/d'), { recursive: true });
    await hintAt(watch, 'a');
    plant(root, 'a/b/c/d/file');
    await hintAt(watch, 'a/b/c/d/file');
  });

  test('ends the wait for one who does not want it any more, and loses nothing by that', async () => {
    const root = scratchFolder();
    const watch = await watched(root);
    const stop = new AbortController();
    const waiting = watch.next(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    plant(root, 'file');
    expect(await watch.next(never)).toEqual({ kind: 'paths', diskPaths: new Set(['file']) });
  });
});
