import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock, type Clock } from '../../common/clock.js';
import { hashBlockSync } from '../../common/block-hash.js';
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

test('a file cut in chains or guessed segments of any size has the blocks of the file cut at once', async () => {
  const folder = scratchFolder();
  const file = join(folder, 'file');
  await fc.assert(
    fc.asyncProperty(content, sizes, fc.integer({ min: 1, max: 4 }), async (data, how, threads) => {
      writeFileSync(file, data);
      const cutter = new TaskCutter(runnerOf(threads), laterClock, how);
      const blocks = [];
      let offsetBytes = 0;
      for await (const block of cutter.cutFile(requestFor(file), new AbortController().signal)) {
        expect(block.offsetBytes).toBe(offsetBytes);
        expect(block.hash.equals(hashBlockSync(block.data))).toBe(true);
        offsetBytes += block.data.length;
        blocks.push(block.data);
      }
      expect(Buffer.concat(blocks).equals(data)).toBe(true);
      expect(blocks.map(({ length }) => length)).toEqual(cutAll(data, CHUNKING));
    }),
    { numRuns: 200 },
  );
});
