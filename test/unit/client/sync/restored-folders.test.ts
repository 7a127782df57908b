import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InProcessFleet } from '../../../support/client/in-process-fleet.js';

/** The texts that a folder has under any name, in order. */
function textsIn(root: string): string[] {
  return readdirSync(root)
    .filter((name) => name !== '.drystone')
    .map((name) => readFileSync(join(root, name), 'utf8'))
    .sort();
}

/** Copies a file or a directory with everything in it, their times too, as a backup does. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

/** A fleet with two folders of one namespace, the first of which has been synced. */
async function twoFolders(): Promise<{
  readonly fleet: InProcessFleet;
  readonly a: string;
  readonly c: string;
  /** Writes what the report in `a` says, and syncs that. */
  readonly syncWith: (report: string) => Promise<void>;
}> {
  const fleet = await InProcessFleet.start();
  const [a, c] = [fleet.folder('a'), fleet.folder('c')];
  await fleet.syncOnce('a');
  const syncWith = async (report: string): Promise<void> => {
    writeFileSync(join(a, 'report'), report);
    await fleet.syncOnce('a');
  };
  return { fleet, a, c, syncWith };
}

/** The same, and a backup of the first from before a letter in it was thrown away and its report written anew. */
async function withBackup(): Promise<Awaited<ReturnType<typeof twoFolders>> & { readonly backup: string }> {
  const folders = await twoFolders();
  const { a, syncWith } = folders;
  const backup = `${a} backup`;
  writeFileSync(join(a, 'letter'), 'to be thrown away');
  await syncWith('first');
  copy(a, backup);
  rmSync(join(a, 'letter'));
  await syncWith('the work of a day');
  return { ...folders, backup };
}

/** How a folder comes back. */
const restores = {
  /** As from a copy of its files: everything is made anew. */
  'made anew': (backup: string, folder: string) => {
    rmSync(folder, { recursive: true });
    copy(backup, folder);
  },
  /** As a snapshot of the disk, or of the machine, brings it back: no file system can tell. */
  'put back in place': (backup: string, folder: string) => {
    const aside = `${folder} aside`;
    copy(backup, aside);
    for (const name of readdirSync(folder)) if (name !== '.drystone') rmSync(join(folder, name));
    for (const name of readdirSync(aside)) {
      if (name !== '.drystone') renameSync(join(aside, name), join(folder, name));
    }
    for (const name of ['data.mdb', 'lock.mdb']) {
      const state = join('.drystone', 'trees', name);
      writeFileSync(join(folder, state), readFileSync(join(aside, state)));
    }
    rmSync(aside, { recursive: true });
  },
};

for (const [how, restore] of Object.entries(restores)) {
  test(`a folder that was ${how} from a backup and then edited keeps the edit beside what came after the backup`, async () => {
    const { fleet, a, c, syncWith } = await twoFolders();
    await syncWith('first');
    copy(a, `${a} backup`);
    for (const text of ['second', 'the work of a day']) await syncWith(text);
    await fleet.syncOnce('c');
    restore(`${a} backup`, a);
    writeFileSync(join(a, 'report'), 'first, and a word');
    const { witness } = await fleet.syncOnce('a');
    await fleet.syncOnce('c');
    expect(textsIn(c)).toEqual(['first, and a word', 'the work of a day']);
    expect(textsIn(a)).toEqual(textsIn(c));
    expect(witness.conflicts).toMatchObject([{ path: 'report' }]);
  });

  test(`a folder that was ${how} from a backup without an edit takes what came after the backup`, async () => {
    const { fleet, a, c, backup } = await withBackup();
    restore(backup, a);
    expect(await fleet.syncOnce('a')).toMatchObject({ itemsCommitted: 0, conflicts: 0 });
    await fleet.syncOnce('c');
    expect([textsIn(a), textsIn(c)]).toEqual([['the work of a day'], ['the work of a day']]);
  });
}

test('a file that was made after the backup stays beside one of the same name that is made after the restoration', async () => {
  const { fleet, a, c, syncWith } = await twoFolders();
  await syncWith('first');
  copy(a, `${a} backup`);
  writeFileSync(join(a, 'new'), 'made after the backup');
  await fleet.syncOnce('a');
  restores['put back in place'](`${a} backup`, a);
  writeFileSync(join(a, 'new'), 'made after the restoration');
  await fleet.syncOnce('a');
  await fleet.syncOnce('c');
  expect(textsIn(c)).toEqual(['first', 'made after the backup', 'made after the restoration']);
});

test('a backup whose files are newer than its state undoes nothing that came after it', async () => {
  const { fleet, a, c, syncWith } = await twoFolders();
  await syncWith('first');
  copy(a, `${a} backup`);
  await syncWith('the second');
  copy(join(a, 'report'), join(`${a} backup`, 'report'));
  await syncWith('the third, of an evening');
  restores['put back in place'](`${a} backup`, a);
  await fleet.syncOnce('a');
  await fleet.syncOnce('c');
  expect(textsIn(c)).toContain('the third, of an evening');
});

test('a folder that was brought back without its state keeps what differs beside what the namespace has', async () => {
  const { fleet, a, c, backup } = await withBackup();
  restores['made anew'](backup, a);
  rmSync(join(a, '.drystone'), { recursive: true });
  await fleet.syncOnce('a');
  await fleet.syncOnce('c');
  expect(textsIn(c)).toEqual(['first', 'the work of a day', 'to be thrown away']);
  expect(textsIn(a)).toEqual(textsIn(c));
});
