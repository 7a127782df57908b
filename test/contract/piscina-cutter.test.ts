import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../common/clock.js';
import { startPiscinaCutter } from '../../client/observe/piscina-cutter.js';
import { requestFor, scratchFolder } from '../support/observe/scratch-folder.js';
import { seededRandom } from '../support/seeded-random.js';

const workerFile = new URL('../../dist/client/observe/cut-worker.js', import.meta.url);

test('closing a cutter ends with CANCELLED what is still being cut, and what comes later', async () => {
  const cutter = startPiscinaCutter({ clock: systemClock, workerFile, threads: 2 });
  const file = join(scratchFolder(), 'file');
  writeFileSync(file, seededRandom('closing').bytes(96 * 1024 * 1024));
  const blocks = cutter.cutFile(requestFor(file), new AbortController().signal)[Symbol.asyncIterator]();
  await blocks.next();
  await cutter.close();
  const readRest = async (): Promise<void> => {
    while ((await blocks.next()).done !== true);
  };
  await expect(readRest()).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(cutter.cutSmallFiles([])).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('a worker file that is not there is an error, not a wait', async () => {
  const cutter = startPiscinaCutter({ clock: systemClock, workerFile: new URL('file:///nowhere.js'), threads: 1 });
  await expect(cutter.cutSmallFiles([])).rejects.toMatchObject({ code: 'INTERNAL' });
  await expect(cutter.cutSmallFiles([])).rejects.toMatchObject({ code: 'INTERNAL' });
  await cutter.close();
});
