import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock, type Clock } from '../../common/clock.js';
import { hashBlockSync } from '../../common/block-hash.js';
import type { Blocklist } from '../../common/feed/item.js';
import { cutSegment } from '../../client/observe/cut-segment.js';
import { FastCdc, type ChunkingParameters } from '../../client/observe/fastcdc/fastcdc.js';
import { TaskCutter } from '../../client/observe/task-cutter.js';
import type { TaskSizes } from '../../client/observe/file-segments.js';
import type { CutTaskRunner } from '../../client/observe/cut-task.js';
import { cutAll } from '../support/observe/cut-all.js';
import { requestFor, scratchFolder } from '../support/observe/scratch-folder.js';
import { seededRandom } from '../support/seeded-random.js';

const CHUNKING: ChunkingParameters = { minBytes: 128, averageBytes: 512, maxBytes: 2048, normalization: 2, seed: 0n };
const WINDOW_BYTES = 5000;

/** Content with and without places to cut at. */
const content: fc.Arbitrary<Buffer> = fc
  .array(fc.tuple(fc.boolean(), fc.nat(), fc.integer({ min: 0, max: 20_000 })), { minLength: 1, maxLength: 5 })
  .map((runs) =>
    Buffer.concat(
      runs.map(([random, seed, length]) => (random ? seededRandom(seed).bytes(length) : Buffer.alloc(length, seed))),
    ),
  );

const sizes: fc.Arbitrary<TaskSizes> = fc.record({
  taskBytes: fc.integer({ min: 1, max: 10_000 }),
  guessFromBytes: fc.constant(0),
  segmentBytes: fc.integer({ min: 500, max: 10_000 }),
  meetWithinBytes: fc.integer({ min: 0, max: 8_000 }),
  knownWithinBytes: fc.integer({ min: 0, max: 20_000 }),
});

/** A clock for which every file has long been as it is. */
const laterClock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 60_000 };

/** Several tasks that take turns, as threads would. */
function runnerOf(threads: number): CutTaskRunner {
  const chunker = new FastCdc(CHUNKING, WINDOW_BYTES);
  return {
    threads,
    cutSegment: async (task) => cutSegment(chunker, task),
    cutSmallFiles: () => Promise.reject(new Error('there are no small files here')),
    close: async () => undefined,
  };
}

/** A piece that is taken out at a place, or where a chunk begins, and another that is put in. */
interface Edit {
  readonly place: number;
  readonly atChunk: boolean;
  readonly removed: number;
  readonly inserted: Uint8Array;
}

const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    place: fc.nat(),
    atChunk: fc.boolean(),
    removed: fc.nat({ max: 600 }),
    inserted: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 4 },
);

function edited(data: Buffer, changes: readonly Edit[]): Buffer {
  const { sizes: chunks } = blocklistOf(data);
  return changes.reduce((before, { place, atChunk, removed, inserted }) => {
    const within = chunks.slice(0, place % (chunks.length + 1)).reduce((sum, size) => sum + size, 0);
    const at = Math.min(atChunk ? within : place % (before.length + 1), before.length);
    return Buffer.concat([before.subarray(0, at), inserted, before.subarray(at + removed)]);
  }, data);
}

/** The blocks of a file that was cut at once. */
function blocklistOf(data: Buffer): Blocklist {
  const sizes = cutAll(data, CHUNKING);
  let offset = 0;
  const hashes = sizes.map((size) => hashBlockSync(data.subarray(offset, (offset += size))));
  return { hashes: Buffer.concat(hashes), sizes };
}

test('a file cut in chains or guessed segments of any size, whatever is known of it, has the blocks of the file cut at once', async () => {
  const folder = scratchFolder();
  const file = join(folder, 'file');
  const cases = [content, fc.option(edits), sizes, fc.integer({ min: 1, max: 4 })] as const;
  await fc.assert(
    fc.asyncProperty(...cases, async (before, changes, how, threads) => {
      const data = changes === null ? before : edited(before, changes);
      const known = changes === null ? undefined : blocklistOf(before);
      writeFileSync(file, data);
      const cutter = new TaskCutter(runnerOf(threads), laterClock, how);
      const sizesCut: number[] = [];
      let offsetBytes = 0;
      for await (const block of cutter.cutFile({ ...requestFor(file), known }, new AbortController().signal)) {
        expect(block.offsetBytes).toBe(offsetBytes);
        const bytes = data.subarray(offsetBytes, (offsetBytes += block.sizeBytes));
        expect(block.hash.equals(hashBlockSync(bytes))).toBe(true);
        if (block.data === undefined) expect(Buffer.from(known?.hashes ?? []).includes(block.hash)).toBe(true);
        else expect(block.data.equals(bytes)).toBe(true);
        sizesCut.push(block.sizeBytes);
      }
      expect(sizesCut).toEqual(cutAll(data, CHUNKING));
    }),
    { numRuns: 400 },
  );
});

test('content that was only moved is recognised: its bytes are not kept, and hardly any are cut twice', async () => {
  const file = join(scratchFolder(), 'file');
  const before = seededRandom('moved').bytes(200_000);
  writeFileSync(file, Buffer.concat([Buffer.from('x'), before]));
  const how = {
    taskBytes: 8_000,
    guessFromBytes: 0,
    segmentBytes: 16_000,
    meetWithinBytes: 8_000,
    knownWithinBytes: 8_000,
  };
  const runner = runnerOf(2);
  let cutBytes = 0;
  const counting: CutTaskRunner = {
    ...runner,
    async cutSegment(task) {
      const segment = await runner.cutSegment(task);
      if (segment.outcome === 'cut') cutBytes += segment.endBytes - segment.startBytes;
      return segment;
    },
  };
  const cutter = new TaskCutter(counting, laterClock, how);
  const request = { ...requestFor(file), known: blocklistOf(before) };
  let newBlocks = 0;
  for await (const { data } of cutter.cutFile(request, new AbortController().signal)) newBlocks += data ? 1 : 0;
  expect(newBlocks).toBeLessThanOrEqual(3);
  // The first guesses do not know yet how far it was moved; those that do begin where a chunk does.
  expect(cutBytes).toBeLessThan(before.length + 3 * CHUNKING.maxBytes);
});
