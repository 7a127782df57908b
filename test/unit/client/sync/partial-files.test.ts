import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../../common/clock.js';
import { createInlineCutter } from '../../../../client/observe/inline-cutter.js';
import { stampOf } from '../../../../client/observe/stable-file.js';
import { InProcessFleet } from '../../../support/client/in-process-fleet.js';
import { seededRandom } from '../../../support/seeded-random.js';

const NAME = 'big';
const SIZE = 5 * 1024 * 1024;

/** As the client names what it has gathered for a path: by the path and the hashes of the content. */
async function partialNameOf(absolutePath: string): Promise<string> {
  const digest = createHash('sha256').update(`${NAME}\0`);
  const stamp = stampOf(lstatSync(absolutePath, { bigint: true }));
  const cutter = createInlineCutter(systemClock);
  for await (const { hash } of cutter.cutFile({ absolutePath, stamp }, new AbortController().signal))
    digest.update(hash);
  return `partial-${digest.digest('hex')}`;
}

/** A folder that shares a big file, and another that has `partial` of it from an earlier attempt. */
async function interrupted(partial: (content: Buffer) => Buffer) {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  await fleet.syncOnce('b');
  const content = seededRandom('partial').bytes(SIZE);
  mkdirSync(a);
  writeFileSync(join(a, NAME), content);
  await fleet.syncOnce('a');
  const temporary = join(b, '.drystone/tmp');
  writeFileSync(join(temporary, await partialNameOf(join(a, NAME))), partial(content));
  const summary = await fleet.syncOnce('b');
  expect(readFileSync(join(b, NAME)).equals(content)).toBe(true);
  expect(readdirSync(temporary)).toEqual([]);
  return summary;
}

test('an interrupted download fetches only what has not arrived', async () => {
  const summary = await interrupted((content) =>
    Buffer.concat([content.subarray(0, SIZE / 2), Buffer.alloc(SIZE / 2)]),
  );
  expect(summary.bytesFromLocal).toBeGreaterThan(0);
  expect(summary.bytesFetched).toBe(SIZE - summary.bytesFromLocal);
});

test('what an interrupted download has left is not believed', async () => {
  const summary = await interrupted(() => seededRandom('something else').bytes(SIZE));
  expect(summary).toMatchObject({ bytesFetched: SIZE, bytesFromLocal: 0, problems: 0 });
});

test('a rest of another size is begun anew', async () => {
  const summary = await interrupted((content) => Buffer.concat([content, Buffer.from('more')]));
  expect(summary).toMatchObject({ bytesFetched: SIZE, bytesFromLocal: 0, problems: 0 });
});
