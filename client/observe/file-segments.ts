import { DrystoneError, cancelled } from '../../common/errors.js';
import { clientLimits } from '../../common/limits.js';
import type { CutRequest } from './cutter.js';
import type { CutSegment, CutTaskRunner, FileRefusal, SegmentResult } from './cut-task.js';

/**
 * The segments of one file, in order, each begun where the one before it ended: a chain of tasks on one thread. While
 * one segment is with the consumer, the next is being cut.
 */
export async function* chainedSegments(
  runner: CutTaskRunner,
  request: CutRequest,
  fromBytes: number,
  signal: AbortSignal,
): AsyncGenerator<CutSegment> {
  const { sizeBytes } = request.stamp;
  const start = (startBytes: number): Promise<SegmentResult> =>
    unobserved(
      runner.cutSegment({ ...request, startBytes, stopBytes: startBytes + clientLimits.cutTaskBytes, meetNext: false }),
    );
  let next = fromBytes < sizeBytes ? start(fromBytes) : undefined;
  while (next !== undefined) {
    const segment = accepted(await next, signal);
    next = segment.endBytes < sizeBytes ? start(segment.endBytes) : undefined;
    yield segment;
  }
}

/**
 * The segments of one file, in order, each begun at a multiple of `clientLimits.cutSegmentBytes`, so that all threads can
 * cut at once. A segment ends where a chunk of the next one begins; that one's chunks before there are guesses to be
 * dropped. Ends with the file, or after the first segment that did not meet the next: from its end the file is to be cut
 * in a chain, for content without places to cut at, such as zeros, will not let the next guess do better.
 */
export async function* guessedSegments(
  runner: CutTaskRunner,
  request: CutRequest,
  signal: AbortSignal,
): AsyncGenerator<CutSegment> {
  const { sizeBytes } = request.stamp;
  const underWay: Promise<SegmentResult>[] = [];
  let nextBytes = 0;
  const fill = (): void => {
    while (underWay.length < runner.threads && nextBytes < sizeBytes) {
      const stopBytes = nextBytes + clientLimits.cutSegmentBytes;
      underWay.push(unobserved(runner.cutSegment({ ...request, startBytes: nextBytes, stopBytes, meetNext: true })));
      nextBytes = stopBytes;
    }
  };
  fill();
  for (let oldest = underWay.shift(); oldest !== undefined; oldest = underWay.shift()) {
    const segment = accepted(await oldest, signal);
    if (segment.met) fill();
    yield segment;
    if (!segment.met) return;
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
