import { DrystoneError, cancelled } from '../../common/errors.js';
import type { CutRequest } from './cutter.js';
import type { CutSegment, CutTaskRunner, FileRefusal, SegmentResult } from './cut-task.js';

/** How files are divided into tasks; the production values are in `clientLimits`. */
export interface TaskSizes {
  /** Of a task in a chain. */
  readonly taskBytes: number;
  /** From this size on a file is cut in guessed segments. */
  readonly guessFromBytes: number;
  readonly segmentBytes: number;
  /** How far behind a segment's end its chunks may go on to meet those of the next one. */
  readonly meetWithinBytes: number;
}

/** One file on its way through the tasks of a runner. */
export interface FileCut {
  readonly runner: CutTaskRunner;
  readonly sizes: TaskSizes;
  readonly request: CutRequest;
  readonly signal: AbortSignal;
}

/**
 * The segments of one file, in order, each begun where the one before it ended: a chain of tasks on one thread. While
 * one segment is with the consumer, the next is being cut.
 */
export async function* chainedSegments(cut: FileCut, fromBytes: number): AsyncGenerator<CutSegment> {
  const { runner, sizes, request, signal } = cut;
  const { sizeBytes } = request.stamp;
  const start = (startBytes: number): Promise<SegmentResult> => {
    const stopBytes = startBytes + sizes.taskBytes;
    return unobserved(runner.cutSegment({ ...request, startBytes, stopBytes, meetWithinBytes: 0 }));
  };
  let next = fromBytes < sizeBytes ? start(fromBytes) : undefined;
  while (next !== undefined) {
    const segment = accepted(await next, signal);
    next = segment.endBytes < sizeBytes ? start(segment.endBytes) : undefined;
    yield segment;
  }
}

/**
 * The segments of one file, in order, each begun at a multiple of `segmentBytes`, so that all threads can
 * cut at once. A segment ends where a chunk of the next one begins; that one's chunks before there are guesses to be
 * dropped. Ends with the file, or after the first segment that did not meet the next: from its end the file is to be cut
 * in a chain, for content without places to cut at, such as zeros, will not let the next guess do better.
 */
export async function* guessedSegments(cut: FileCut): AsyncGenerator<CutSegment> {
  const { runner, sizes, request, signal } = cut;
  const { sizeBytes } = request.stamp;
  const underWay: Promise<SegmentResult>[] = [];
  let nextBytes = 0;
  const fill = (): void => {
    while (underWay.length < runner.threads && nextBytes < sizeBytes) {
      const stopBytes = nextBytes + sizes.segmentBytes;
      const { meetWithinBytes } = sizes;
      underWay.push(unobserved(runner.cutSegment({ ...request, startBytes: nextBytes, stopBytes, meetWithinBytes })));
      nextBytes = stopBytes;
    }
  };
  fill();
  for (let oldest = underWay.shift(); oldest !== undefined; oldest = underWay.shift()) {
    const segment = accepted(await oldest, signal);
    yield segment;
    if (!segment.met) return;
    // Only now: where the consumer is the slower one, a segment less lies in memory, and nobody waits for it.
    fill();
  }
}

/** A promise that may be left behind, when the consumer stops or an earlier segment fails: its error has no reader. */
function unobserved(result: Promise<SegmentResult>): Promise<SegmentResult> {
  result.catch(() => undefined);
  return result;
}

function accepted(result: SegmentResult, signal: AbortSignal): CutSegment {
  if (signal.aborted) throw cancelled('cutting');
  if (result.outcome !== 'cut') throw refusalError(result);
  return result;
}

function refusalError({ outcome, message }: FileRefusal): DrystoneError {
  if (outcome === 'unreadable') return new DrystoneError('PERMISSION_DENIED', 'FILE_UNREADABLE', message);
  return new DrystoneError('FAILED_PRECONDITION', 'FILE_UNSTABLE', `${message}; it is tried again after the next scan`);
}
