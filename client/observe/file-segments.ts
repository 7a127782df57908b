import { DrystoneError, cancelled } from '../../common/errors.js';
import type { CutRequest } from './cutter.js';
import type { CutSegment, CutTaskRunner, FileRefusal, SegmentResult } from './cut-task.js';
import type { KnownFile } from './known-chunks.js';

/** How files are divided into tasks; the production values are in `clientLimits`. */
export interface TaskSizes {
  /** Of a task in a chain. */
  readonly taskBytes: number;
  /** From this size on a file is cut in guessed segments. */
  readonly guessFromBytes: number;
  readonly segmentBytes: number;
  /** How far behind a segment's end its chunks may go on to meet those of the next one. */
  readonly meetWithinBytes: number;
  /** How far content may have moved, either way, since the file was last cut, and still be recognised. */
  readonly knownWithinBytes: number;
}

/** One file on its way through the tasks of a runner. */
export interface FileCut {
  readonly runner: CutTaskRunner;
  readonly sizes: TaskSizes;
  readonly request: CutRequest;
  /** What it was cut into before. */
  readonly known: KnownFile;
  readonly signal: AbortSignal;
}

/**
 * The segments of one file, in order, each begun where the one before it ended: a chain of tasks on one thread. While
 * one segment is with the consumer, the next is being cut.
 */
export async function* chainedSegments(cut: FileCut, fromBytes: number): AsyncGenerator<CutSegment> {
  const { sizes, signal } = cut;
  const { sizeBytes } = cut.request.stamp;
  const start = (startBytes: number): Promise<SegmentResult> =>
    startSegment(cut, startBytes, startBytes + sizes.taskBytes, 0);
  let next = fromBytes < sizeBytes ? start(fromBytes) : undefined;
  while (next !== undefined) {
    const segment = accepted(await next, signal);
    next = segment.endBytes < sizeBytes ? start(segment.endBytes) : undefined;
    yield segment;
  }
}

/**
 * The segments of one file, in order, each begun `segmentBytes` behind the one before it, so that all threads can cut at
 * once; where the file was cut before, at the next place where one of its chunks began then, moved as far as the last one
 * that was found again: a guess that is nearly always right. A segment ends where a chunk of the next one begins; that one's chunks before there are guesses to be
 * dropped. Ends with the file, or after the first segment that did not meet the next: from its end the file is to be cut
 * in a chain, for content without places to cut at, such as zeros, will not let the next guess do better.
 */
export async function* guessedSegments(cut: FileCut): AsyncGenerator<CutSegment> {
  const { runner, sizes, known, signal } = cut;
  const { sizeBytes } = cut.request.stamp;
  const underWay: Promise<SegmentResult>[] = [];
  let nextBytes = 0;
  let movedBytes = 0;
  const fill = (): void => {
    while (underWay.length < runner.threads && nextBytes < sizeBytes) {
      const leastBytes = nextBytes + sizes.segmentBytes;
      const stopBytes = (known.firstStartFrom(leastBytes - movedBytes) ?? leastBytes - movedBytes) + movedBytes;
      underWay.push(startSegment(cut, nextBytes, stopBytes, sizes.meetWithinBytes));
      nextBytes = stopBytes;
    }
  };
  fill();
  for (let oldest = underWay.shift(); oldest !== undefined; oldest = underWay.shift()) {
    const segment = accepted(await oldest, signal);
    movedBytes = segment.movedBytes ?? movedBytes;
    yield segment;
    if (!segment.met) return;
    // Only now: where the consumer is the slower one, a segment less lies in memory, and nobody waits for it.
    fill();
  }
}

/** The result may be left behind, when the consumer stops or an earlier segment fails: then its error has no reader. */
function startSegment(
  { runner, request, known, sizes: { knownWithinBytes } }: FileCut,
  startBytes: number,
  stopBytes: number,
  meetWithinBytes: number,
): Promise<SegmentResult> {
  const { absolutePath, stamp } = request;
  const near = known.between(startBytes - knownWithinBytes, stopBytes + knownWithinBytes);
  const result = runner.cutSegment({ absolutePath, stamp, startBytes, stopBytes, meetWithinBytes, known: near });
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
