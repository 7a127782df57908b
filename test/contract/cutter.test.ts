import { appendFileSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { hashBlockSync } from '../../common/block-hash.js';
import { systemClock } from '../../common/clock.js';
import { chunking, clientLimits } from '../../common/limits.js';
import { createInlineCutter } from '../../client/observe/inline-cutter.js';
import { startPiscinaCutter } from '../../client/observe/piscina-cutter.js';
import type { CutBlock, Cutter, CutRequest } from '../../client/observe/cutter.js';
import { cutAll } from '../support/observe/cut-all.js';
import { plant, plantPipe, requestFor, scratchFolder } from '../support/observe/scratch-folder.js';
import { seededRandom } from '../support/seeded-random.js';

const MiB = 1024 * 1024;
const workerFile = new URL('../../dist/client/observe/cut-worker.js', import.meta.url);

const cutters: readonly (readonly [name: string, cutter: Cutter])[] = [
  ['inline', createInlineCutter(systemClock)],
  ['one thread', startPiscinaCutter({ clock: systemClock, workerFile, threads: 1 })],
  ['three threads', startPiscinaCutter({ clock: systemClock, workerFile, threads: 3 })],
];

afterAll(async () => {
  for (const [, cutter] of cutters) await cutter.close();
});

function planted(sizeBytes: number, folder = scratchFolder()): { file: string; content: Buffer } {
  const content = seededRandom(sizeBytes).bytes(sizeBytes);
  plant(folder, 'file', content);
  return { file: join(folder, 'file'), content };
}

async function blocksOf(cutter: Cutter, request: CutRequest): Promise<CutBlock[]> {
  const blocks: CutBlock[] = [];
  for await (const block of cutter.cutFile(request, new AbortController().signal)) blocks.push(block);
  return blocks;
}

describe.each(cutters)('the cutter, %s', (_name, cutter) => {
  test.each([
    ['one chunk', 1000],
    ['just one chunk', chunking.minBytes],
    ['a few chunks', 3 * MiB + 1],
    ['several tasks', 2 * clientLimits.cutTaskBytes + 12_345],
    ['several guessed segments', clientLimits.cutGuessFromBytes + clientLimits.cutSegmentBytes / 2],
  ])('gives the blocks of a file of %s, in order', async (_size, sizeBytes) => {
    const { file, content } = planted(sizeBytes);
    const blocks = await blocksOf(cutter, requestFor(file));

    expect(blocks.map(({ sizeBytes }) => sizeBytes)).toEqual(cutAll(content, chunking));
    expect(Buffer.concat(blocks.map(({ data }) => data!)).equals(content)).toBe(true);
    expect(blocks.every(({ hash, data }) => hash.equals(hashBlockSync(data!)))).toBe(true);
    let offsetBytes = 0;
    for (const block of blocks) {
      expect(block.offsetBytes).toBe(offsetBytes);
      offsetBytes += block.sizeBytes;
    }
  });

  test('cuts zeros, which nothing tells where to cut, behind a start that is no multiple of anything', async () => {
    const { file, content } = planted(777_777);
    appendFileSync(file, Buffer.alloc(clientLimits.cutGuessFromBytes + clientLimits.cutSegmentBytes));
    const whole = Buffer.concat([content, Buffer.alloc(clientLimits.cutGuessFromBytes + clientLimits.cutSegmentBytes)]);
    const blocks = await blocksOf(cutter, requestFor(file));
    expect(blocks.map(({ sizeBytes }) => sizeBytes)).toEqual(cutAll(whole, chunking));
    expect(blocks.at(-1)!.hash.equals(hashBlockSync(blocks.at(-1)!.data!))).toBe(true);
  });

  test('gives no block of an empty file', async () => {
    const { file } = planted(0);
    expect(await blocksOf(cutter, requestFor(file))).toEqual([]);
  });

  test('gives blocks that keep nothing else in memory', async () => {
    const { file } = planted(3 * MiB);
    for (const { data } of await blocksOf(cutter, requestFor(file))) {
      expect(data!.buffer.byteLength).toBe(data!.length);
    }
  });

  test.each<[string, (file: string) => void]>([
    ['grew', (file) => appendFileSync(file, 'more')],
    ['shrank', (file) => truncateSync(file, 1 * MiB)],
    ['was written over', (file) => writeFileSync(file, seededRandom('other').bytes(20 * MiB))],
    ['is gone', (file) => rmSync(file)],
  ])('raises FILE_UNSTABLE where the file %s while it was read', async (_what, change) => {
    const { file } = planted(20 * MiB);
    const blocks = cutter.cutFile(requestFor(file), new AbortController().signal)[Symbol.asyncIterator]();
    await blocks.next();
    change(file);
    const readRest = async (): Promise<void> => {
      while ((await blocks.next()).done !== true);
    };
    await expect(readRest()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'FILE_UNSTABLE' });
  });

  test.each<[string, (file: string) => void]>([
    ['a symlink', (file) => symlinkSync('/etc/hostname', file)],
    ['a directory', (file) => mkdirSync(file)],
    ['a named pipe', (file) => plantPipe(file)],
    ['another file', (file) => writeFileSync(file, 'other')],
  ])('raises FILE_UNSTABLE where %s has taken the place of the file', async (_what, replace) => {
    const { file } = planted(1000);
    const request = requestFor(file);
    rmSync(file);
    replace(file);
    await expect(blocksOf(cutter, request)).rejects.toMatchObject({ reason: 'FILE_UNSTABLE' });
    expect((await cutter.cutSmallFiles([request]))[0]!.outcome).toBe('unstable');
  });

  test('raises FILE_UNREADABLE where the file may not be opened', async () => {
    const request = { ...requestFor(planted(10).file), absolutePath: `/tmp/${'x'.repeat(300)}` };
    await expect(blocksOf(cutter, request)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      reason: 'FILE_UNREADABLE',
    });
  });

  test('raises CANCELLED when the signal aborts', async () => {
    const { file } = planted(20 * MiB);
    const stop = new AbortController();
    const blocks = cutter.cutFile(requestFor(file), stop.signal)[Symbol.asyncIterator]();
    await blocks.next();
    stop.abort();
    const readRest = async (): Promise<void> => {
      while ((await blocks.next()).done !== true);
    };
    await expect(readRest()).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('goes on with other files when one is left half read', async () => {
    const { file } = planted(40 * MiB);
    for await (const block of cutter.cutFile(requestFor(file), new AbortController().signal)) {
      if (block.offsetBytes > 0) break;
    }
    const other = planted(1000);
    expect(await blocksOf(cutter, requestFor(other.file))).toHaveLength(1);
  });

  test('answers for each small file, in order, whatever becomes of the others', async () => {
    const folder = scratchFolder();
    for (const name of ['first', 'changed', 'gone', 'last']) plant(folder, name);
    plant(folder, 'empty', '');
    const names = ['first', 'empty', 'changed', 'gone', 'last'];
    const requests = names.map((name) => requestFor(join(folder, name)));
    plant(folder, 'changed', 'something else');
    rmSync(join(folder, 'gone'));
    const unreadable = { ...requests[0]!, absolutePath: `/tmp/${'x'.repeat(300)}` };

    const results = await cutter.cutSmallFiles([...requests, unreadable]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['cut', 'cut', 'unstable', 'vanished', 'cut', 'unreadable']);
    const blocks = results.map((result) => (result.outcome === 'cut' ? result.block : undefined));
    expect(blocks.map((block) => block?.data?.toString())).toEqual([
      'first',
      undefined,
      undefined,
      undefined,
      'last',
      undefined,
    ]);
    expect(blocks[4]!.hash.equals(hashBlockSync(Buffer.from('last')))).toBe(true);
  });

  test('refuses more or larger small files than one task takes', async () => {
    const request = requestFor(planted(1).file);
    const sized = (sizeBytes: number): CutRequest => ({ ...request, stamp: { ...request.stamp, sizeBytes } });
    const refused = { code: 'INVALID_ARGUMENT', details: { field: 'requests' } };
    const many = Array.from({ length: clientLimits.cutTaskFiles + 1 }, () => request);
    await expect(cutter.cutSmallFiles(many)).rejects.toMatchObject(refused);
    await expect(cutter.cutSmallFiles([sized(chunking.minBytes + 1)])).rejects.toMatchObject(refused);
    const large = Array.from({ length: 65 }, () => sized(chunking.minBytes));
    await expect(cutter.cutSmallFiles(large)).rejects.toMatchObject(refused);
  });
});
