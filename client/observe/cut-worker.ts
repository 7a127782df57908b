import { move, transferableSymbol, valueSymbol } from 'piscina';
import { LocalTaskRunner } from './local-task-runner.js';
import type { SegmentResult, SegmentTask, SmallFilesResult, SmallFilesTask } from './cut-task.js';

/** A cutting thread: what piscina-cutter.ts runs. Each thread loads this module once. */
const runner = new LocalTaskRunner();

/** A {@link SegmentResult} whose memory is handed over, not copied. */
export function segment(task: SegmentTask): unknown {
  const result: SegmentResult = runner.cutSegment(task);
  if (result.outcome !== 'cut') return result;
  const bytes = result.chunks.flatMap(({ data }) => (data === undefined ? [] : [data.buffer]));
  return handOver(result, [result.hashes.buffer, ...bytes]);
}

/** A {@link SmallFilesResult} whose memory is handed over, not copied. */
export function smallFiles(task: SmallFilesTask): unknown {
  const result: SmallFilesResult = runner.cutSmallFiles(task);
  return handOver(result, [result.hashes.buffer, result.data.buffer]);
}

function handOver(result: object, memory: readonly ArrayBuffer[]): unknown {
  return move({ [transferableSymbol]: memory, [valueSymbol]: result });
}
