import { appendFileSync, chmodSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStable } from '../../../client/observe/stable-file.js';
import { plant, requestFor, scratchFolder } from '../../support/observe/scratch-folder.js';

const done = { outcome: 'cut' } as const;

test.each<[string, (file: string) => void]>([
  ['longer', (file) => appendFileSync(file, 'more')],
  ['shorter', (file) => writeFileSync(file, '')],
  ['of the same size', (file) => writeFileSync(file, 'FILE')],
  ['of the same size and time', (file) => utimesSync(file, 1, 1)],
  ['of other rights', (file) => chmodSync(file, 0o700)],
])('what is read from a file that is then %s is not to be relied on', async (_what, change) => {
  const file = join(scratchFolder(), 'file');
  writeFileSync(file, 'file');
  utimesSync(file, 1, 1);
  const request = requestFor(file);
  // The next tick of the file system's clock: within one tick no stamp tells a change.
  await new Promise((resolve) => setTimeout(resolve, 25));
  expect(readStable(request, () => done)).toBe(done);
  const result = readStable(request, () => {
    change(file);
    return done;
  });
  expect(result.outcome).toBe('unstable');
});

test('a file that lies elsewhere by now is gone', () => {
  const folder = scratchFolder();
  plant(folder, 'a/file');
  const request = requestFor(join(folder, 'a/file'));
  renameSync(join(folder, 'a'), join(folder, 'b'));
  expect(readStable(request, () => done).outcome).toBe('vanished');
  plant(folder, 'a', 'a file in place of the directory');
  expect(readStable(request, () => done).outcome).toBe('vanished');
});
