import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InProcessFleet } from '../../../support/client/in-process-fleet.js';

test('a folder that was ahead of the backup from which metadata was restored hears of all that others have made since', async () => {
  const fleet = await InProcessFleet.start(['here'], 'lmdb');
  const write = (name: string, ...files: readonly string[]): void => {
    for (const file of files) writeFileSync(join(fleet.folder(name), file), `${file} by ${name}`);
  };
  const filesIn = (name: string): string[] => readdirSync(fleet.folder(name)).filter((file) => file !== '.drystone');
  for (const name of ['a', 'e']) await fleet.syncOnce(name);
  write('a', 'base');
  for (const name of ['a', 'e']) await fleet.syncOnce(name);

  const backup = join(fleet.dir, 'backup');
  await fleet.whileMetadataIsStopped((dataDir) => cpSync(dataDir, backup, { recursive: true }));
  write('a', 'l1', 'l2', 'l3');
  await fleet.syncOnce('a');
  await fleet.whileMetadataIsStopped((dataDir) => {
    rmSync(dataDir, { recursive: true });
    cpSync(backup, dataDir, { recursive: true });
  });
  const made = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8'];
  write('e', ...made);
  await fleet.syncOnce('e');
  await fleet.syncOnce('a');
  expect(filesIn('a')).toEqual(['base', 'l1', 'l2', 'l3', ...made]);
});
