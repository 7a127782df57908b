import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { keepFreedMemory, signBytes } from '../../../../common/program/freed-memory.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const isGlibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;
const PAGE_BYTES = 4096;
const LMDB = pathToFileURL(resolve('node_modules/lmdb/node-index.js')).href;

/** Pages that a process asks the system for while it stores 128 blocks of 1 MiB in transactions of eight. */
function pagesAskedFor(): number {
  const program = `
    import { open } from ${JSON.stringify(LMDB)};
    const signBytes = ${signBytes};
    (${keepFreedMemory.toString()})();
    const options = { encoding: 'binary', overlappingSync: false, eventTurnBatching: false };
    const store = open({ path: ${JSON.stringify(temporaryDirectory())}, ...options });
    const block = Buffer.alloc(1024 * 1024, 7);
    const pages = () => process.resourceUsage().minorPageFault;
    const before = pages();
    for (let group = 0; group < 16; group++) {
      await store.childTransaction(() => {
        for (let index = 0; index < 8; index++) store.putSync(group + ' ' + index, block);
      });
    }
    console.log(pages() - before);
    await store.close();`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return Number(stdout);
}

it('who stores blocks gets the pages of a transaction from those of the one before', () => {
  const stored = (128 * 1024 * 1024) / PAGE_BYTES;
  // Other C libraries do as they do. Without a sign it is all of them with glibc, in most runs.
  expect(pagesAskedFor()).toBeLessThan(isGlibc ? stored / 4 : Infinity);
});
