import { expect, test } from 'vitest';
import { TaskCutter } from '../../../client/observe/task-cutter.js';
import type { CutRequest } from '../../../client/observe/cutter.js';
import type { CutTaskRunner, SegmentTask } from '../../../client/observe/cut-task.js';
import type { TaskSizes } from '../../../client/observe/file-segments.js';
import { ManualClock } from '../../support/manual-clock.js';

const SIZES: TaskSizes = {
  taskBytes: 10,
  guessFromBytes: 100,
  segmentBytes: 20,
  meetWithinBytes: 20,
  knownWithinBytes: 0,
};
const FILE_BYTES = 200;
const stamp = { sizeBytes: FILE_BYTES, modifiedAtNs: 0n, changedAtNs: 0n, inode: 1n };
const fileNamed = (absolutePath: string): CutRequest => ({ absolutePath, stamp });

/** Threads that have every chunk end where its task does, and remember what they were asked. */
class EvenRunner implements CutTaskRunner {
  readonly asked: SegmentTask[] = [];

  constructor(readonly threads: number) {}

  async cutSegment(task: SegmentTask) {
    this.asked.push(task);
    const endBytes = Math.min(task.stopBytes, FILE_BYTES);
    const sizeBytes = endBytes - task.startBytes;
    const chunks = [{ sizeBytes, data: new Uint8Array(sizeBytes) }];
    return {
      outcome: 'cut' as const,
      startBytes: task.startBytes,
      endBytes,
      met: true,
      movedBytes: undefined,
      hashes: new Uint8Array(32),
      chunks,
    };
  }

  cutSmallFiles() {
    return Promise.reject(new Error('there are no small files here'));
  }

  async close() {}

  startsOf(absolutePath: string): number[] {
    return this.asked.filter((task) => task.absolutePath === absolutePath).map(({ startBytes }) => startBytes);
  }
}

function cutterOf(runner: CutTaskRunner) {
  return new TaskCutter(runner, new ManualClock(1_000_000), SIZES);
}

const never = new AbortController().signal;

test('a file has one segment for each thread in memory, that with the consumer included', async () => {
  const runner = new EvenRunner(3);
  const blocks = cutterOf(runner).cutFile(fileNamed('big'), never);
  await blocks.next();
  expect(runner.startsOf('big')).toEqual([0, 20, 40]);
  await blocks.next();
  expect(runner.startsOf('big')).toEqual([0, 20, 40, 60]);
  await blocks.return(undefined);
});

test('a small file, and any file with one thread, is read ahead by one task', async () => {
  const runner = new EvenRunner(1);
  const blocks = cutterOf(runner).cutFile(fileNamed('big'), never);
  await blocks.next();
  expect(runner.startsOf('big')).toEqual([0, 10]);
  await blocks.return(undefined);
});

test('segments are guessed for one file at a time, so that many big files do not fill the memory', async () => {
  const runner = new EvenRunner(3);
  const cutter = cutterOf(runner);
  const first = cutter.cutFile(fileNamed('first'), never);
  const second = cutter.cutFile(fileNamed('second'), never);
  await first.next();
  await second.next();
  expect(runner.startsOf('first')).toHaveLength(3);
  expect(runner.startsOf('second')).toEqual([0, 10]);
  await first.return(undefined);
  await second.return(undefined);

  const third = cutter.cutFile(fileNamed('third'), never);
  await third.next();
  expect(runner.startsOf('third')).toHaveLength(3);
  await third.return(undefined);
});
