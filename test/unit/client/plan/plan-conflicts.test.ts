import { beforeEach, describe, expect, test } from 'vitest';
import { hasMovedOn } from '../../../../client/plan/told.js';
import { settle } from '../../../../common/feed/conflicts.js';
import type { Item } from '../../../../common/feed/item.js';
import { itemOf, mergeItems } from '../../../../common/feed/merge.js';
import { HERE, item, localFile, PlannedTrees, text, THERE } from '../../../support/client/planned-trees.js';
import { DELETION, DIRECTORY } from '../../../support/feed/sample-states.js';

let here: PlannedTrees;
beforeEach(() => {
  here = new PlannedTrees();
});

describe('a conflict', () => {
  const ours = item('file', 1, text('ours'), HERE);
  const theirs = item('file', 2, text('theirs'));
  const contested = mergeItems(ours, theirs);
  const { copies, item: settled } = settle(contested);
  const holds = (...items: Item[]): Promise<void> =>
    here.trees.write({ remote: new Map(items.map((one) => [one.path, one])) });

  test('is settled before anything else is done about the path', async () => {
    await holds(contested);
    await here.folderHas(localFile('file', 'ours, again', { blocks: undefined }));
    expect(here.planned().operations).toMatchObject([{ kind: 'settle', path: 'file', items: [...copies, settled] }]);
  });

  test('is settled with the copies that are there already, without those that somebody has changed or deleted', async () => {
    const [copy] = copies;
    await holds(contested, copy!);
    expect(here.planned({ scope: ['file'] }).operations).toMatchObject([{ kind: 'settle', items: [copy, settled] }]);
    const deleted = item(copy!.path, 9, DELETION);
    await holds(itemOf(copy!.path, [...copy!.version, ...deleted.version], [deleted]));
    expect(here.planned({ scope: ['file'] }).operations).toMatchObject([{ kind: 'settle', items: [settled] }]);
  });

  test('is left to others where this account may not settle it', async () => {
    await holds(contested);
    expect(here.planned({ conflicts: 'leave to others' }).steps).toEqual(['fetch-file file']);
    await here.agreed({ other: 'old' });
    await holds(item('other', 2, text('theirs')));
    await here.folderHas(localFile('other', 'ours'));
    expect(here.planned({ scope: ['other'], conflicts: 'leave to others' }).steps).toEqual(['keep-conflict other']);
  });

  test('that is settled leaves the folder to take the copy, which it has already, and what stands after that: nobody else may have it', async () => {
    await holds(contested, settled, ...copies);
    await here.trees.write({ synced: new Map([[ours.path, ours]]) });
    await here.folderHas(localFile('file', 'ours'));
    expect(here.planned().steps).toEqual([`fetch-file ${copies[0]!.path}`]);
    await here.folderHas(localFile('file', 'ours'), localFile(copies[0]!.path, 'ours'));
    await here.trees.write({ synced: new Map([[copies[0]!.path, copies[0]]]) });
    expect(here.planned().steps).toEqual(['fetch-file file']);
  });
});

describe('while there are peers alone a conflict waits', () => {
  const ours = item('file', 1, text('ours'), HERE);
  const contested = mergeItems(ours, item('file', 2, text('theirs')));
  const hears = (heard: Item, base?: Item): Promise<void> =>
    here.trees.write({
      remote: new Map([[heard.path, heard]]),
      synced: new Map([[heard.path, base]]),
    });
  const steps = (): string[] => here.planned({ conflicts: 'wait' }).steps;

  test('and whoever is a side keeps that, whoever is none what it had', async () => {
    await hears(contested, ours);
    await here.folderHas(localFile('file', 'ours'));
    expect(steps()).toEqual([]);
    await here.folderLacks('file');
    await hears(contested);
    expect(steps()).toEqual([]);
    expect(here.planned().steps).toEqual(['settle file']);
  });

  test('and what is done to the own side replaces that, and no other', async () => {
    await hears(contested, ours);
    await here.folderHas(localFile('file', 'ours, later'));
    const version = [{ replicaId: HERE, counter: 2 }];
    const plans = (change: object): void =>
      expect(here.planned({ conflicts: 'wait' }).operations).toMatchObject([
        { kind: 'commit-item', offer: { version }, change },
      ]);
    plans({ from: 'folder' });
    await here.folderLacks('file');
    plans({ from: 'deletion' });
  });

  test('and a file that was changed here is told beside what was heard', async () => {
    await here.agreed({ file: 'old' });
    await here.namespaceHas('file', text('theirs'));
    await here.folderHas(localFile('file', 'ours'));
    expect(here.planned({ conflicts: 'wait' }).operations).toMatchObject([
      {
        kind: 'commit-item',
        offer: {
          version: [
            { replicaId: HERE, counter: 1 },
            { replicaId: THERE, counter: 1 },
          ],
        },
      },
    ]);
  });

  test('and a file stays where others have a directory, or items below it', async () => {
    await here.agreed({ file: 'old', other: 'old' });
    await here.namespaceHas('file', { kind: 'directory' });
    await here.namespaceHas('other/below', { kind: 'directory' });
    await here.folderHas(localFile('file', 'ours'), localFile('other', 'ours'));
    expect(steps()).toEqual([]);
    expect(here.planned().steps).toContain('keep-conflict file');
  });
});

describe('what the folder has done to a file that both sides had', () => {
  test('stands where no more has happened to that than that a conflict was settled', async () => {
    await here.agreed({ file: 'old' });
    const base = item('file', 1, text('old'));
    const settled = itemOf(base.path, [...base.version, { replicaId: HERE, counter: 7 }], [base]);
    await here.trees.write({ remote: new Map([[base.path, settled]]) });
    await here.folderLacks('file');
    expect(here.planned().operations).toMatchObject([{ kind: 'commit-item', change: { from: 'deletion' } }]);
  });

  test('stays while its copy waits for something above it to be out of the way', async () => {
    await here.agreed({ dir: { kind: 'directory' }, 'dir/file': 'ours' });
    await here.namespaceHas('dir/file', { kind: 'directory' });
    await here.namespaceHas('dir/copy', text('ours'), 1);
    expect(here.planned().steps).toContain('move dir/copy');
    await here.namespaceHas('dir', text('theirs'));
    const { steps } = here.planned({ conflicts: 'leave to others' });
    expect(steps.filter((step) => step.endsWith('dir/file'))).toEqual([]);
  });

  test('keeps the directory that it lies in while it stays', async () => {
    await here.agreed({ dir: { kind: 'directory' }, old: { kind: 'directory' }, 'old/file': 'ours' });
    await here.namespaceHas('old/file', { kind: 'deletion' });
    await here.namespaceHas('old', { kind: 'deletion' });
    expect(here.planned().steps).toEqual(['remove old/file', 'remove old']);
    await here.namespaceHas('dir/copy', text('ours'), 1);
    await here.namespaceHas('dir', text('theirs'));
    const { steps } = here.planned({ conflicts: 'leave to others' });
    expect(steps.filter((step) => step.startsWith('remove old'))).toEqual([]);
  });

  test('needs no copy where others have put items below it', async () => {
    await here.agreed({ file: 'old' });
    await here.namespaceHas('file/below', text('theirs'));
    await here.folderLacks('file');
    expect(here.planned().steps).toContain('make-directory file');
    // Nor where more is known of it, and it still stands: its bytes were perhaps here alone.
    const base = item('file', 1, text('old'));
    const known = itemOf(base.path, [...base.version, { replicaId: HERE, counter: 7 }], [base]);
    await here.trees.write({ remote: new Map([[base.path, known]]) });
    expect(here.planned().steps).toContain('make-directory file');
  });
});

describe('a conflict with what only others than metadata were told', () => {
  const theirs = item('file', 2, text('theirs'));
  const told = async (): Promise<void> => {
    const ours = await here.told('file', 1, text('ours'));
    await here.trees.write({ heard: new Map([[ours.path, theirs]]) });
  };

  test('is settled after that was said: nobody else may have its bytes', async () => {
    await told();
    await here.folderHas(localFile('file', 'ours'));
    expect(here.planned().steps).toEqual(['settle file']);
    expect(here.planned({ isProvisionalDue: true }).operations).toMatchObject([
      { kind: 'commit-item', isProvisional: true },
    ]);
  });

  test('waits where others may still tell metadata of it: what settles it would leave that out', async () => {
    await told();
    await here.folderHas(localFile('file', 'ours'));
    expect(here.planned({ isRelayAwaited: true }).steps).toEqual([]);
    await here.trees.write({
      confirmed: new Map([[theirs.path, mergeItems(item('file', 1, text('ours'), HERE), theirs)]]),
    });
    expect(here.planned({ isRelayAwaited: true }).steps).toEqual(['settle file']);
  });

  test('a deletion is said as it was, though the folder has taken what stands beside it', async () => {
    const deletion = await here.told('file', 1, DELETION);
    await here.trees.write({ heard: new Map([[theirs.path, theirs]]), synced: new Map([[theirs.path, theirs]]) });
    await here.folderHas(localFile('file', 'theirs'));
    expect(here.planned({ isProvisionalDue: true }).operations).toMatchObject([
      { kind: 'commit-item', again: deletion, isPast: true, change: { from: 'deletion' } },
    ]);
  });

  test('attributes that lost are said as they were, with the bytes that the folder still has', async () => {
    const told = await here.told('file', 1, text('same', 1_000));
    const stands = item('file', 2, text('same', 2_000));
    await here.trees.write({ heard: new Map([[stands.path, stands]]), synced: new Map([[stands.path, stands]]) });
    const local = localFile('file', 'same', { modifiedAtMs: 2_000 });
    await here.folderHas(local);
    expect(hasMovedOn(here.trees, told.path)).toBe(false);
    expect(here.planned({ isProvisionalDue: true }).operations).toMatchObject([
      { kind: 'commit-item', again: told, isPast: true, change: { from: 'folder', entry: local } },
    ]);
  });

  test('is given up where the user has put what stands in its place: nobody else could say that it is gone', async () => {
    const ours = await here.told('file', 1, text('ours'));
    const contested = mergeItems(ours, item('file', 2, DIRECTORY));
    await here.trees.write({ heard: new Map([[ours.path, contested]]), synced: new Map([[ours.path, contested]]) });
    const directory = { kind: 'directory', path: ours.path } as const;
    await here.folderHas(directory);
    expect(hasMovedOn(here.trees, ours.path)).toBe(false);
    expect(here.planned().operations).toMatchObject([
      {
        kind: 'commit-item',
        offer: { version: [{ replicaId: HERE, counter: 2 }] },
        again: undefined,
        change: { from: 'folder', entry: directory },
      },
    ]);
  });

  test('needs no copy of it where the folder has something else by now, or nothing', async () => {
    await told();
    await here.folderHas(localFile('file', 'ours, later'));
    expect(here.planned().operations).toMatchObject([
      { kind: 'commit-item', offer: { version: [{ replicaId: HERE, counter: 2 }] }, again: undefined },
    ]);
    await here.folderLacks('file');
    expect(here.planned().operations).toMatchObject([{ kind: 'commit-item', change: { from: 'deletion' } }]);
    // What others have put below it makes the path a directory, and no copy of it either.
    await here.namespaceHas('file/below', DIRECTORY, 1);
    expect(here.planned().steps).toContain('commit-item file');
  });
});
