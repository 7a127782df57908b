import { HASH_BYTES, asBuffer } from '../../common/block-hash.js';
import { cancelled, invalidArgument, toDrystoneError } from '../../common/errors.js';
import { NO_BLOCKS } from '../../common/feed/item.js';
import { chunking, clientLimits } from '../../common/limits.js';
import { chainedSegments, guessedSegments, type FileCut, type TaskSizes } from './file-segments.js';
import { KnownFile } from './known-chunks.js';
import type { Clock } from '../../common/clock.js';
import type { CutBlock, CutRequest, Cutter, SmallFileCut } from './cutter.js';
import type { CutSegment, CutTaskRunner, SmallFilesResult } from './cut-task.js';

const NS_PER_MS = 1_000_000n;

const PRODUCTION_SIZES: TaskSizes = {
  taskBytes: clientLimits.cutTaskBytes,
  guessFromBytes: clientLimits.cutGuessFromBytes,
  segmentBytes: clientLimits.cutSegmentBytes,
  meetWithinBytes: clientLimits.cutMeetBytes,
  knownWithinBytes: clientLimits.cutKnownBytes,
};

/** A cutter that makes tasks of its work and has `runner` do them. */
export class TaskCutter implements Cutter {
  #filesOpen = 0;

  constructor(
    private readonly runner: CutTaskRunner,
    private readonly clock: Clock,
    private readonly sizes: TaskSizes = PRODUCTION_SIZES,
  ) {}

  async *cutFile(request: CutRequest, signal: AbortSignal): AsyncGenerator<CutBlock> {
    if (signal.aborted) throw cancelled('cutting');
    const isAlone = this.#filesOpen === 0;
    this.#filesOpen++;
    try {
      await this.#outliveTick([request], signal);
      const known = new KnownFile(request.known ?? NO_BLOCKS);
      yield* this.#blocksOf({ runner: this.runner, sizes: this.sizes, request, known, signal }, isAlone);
    } finally {
      this.#filesOpen--;
    }
  }

  /** Segments are guessed for one file at a time: several files keep the threads busy without, and in less memory. */
  async *#blocksOf(cut: FileCut, isAlone: boolean): AsyncGenerator<CutBlock> {
    let doneBytes = 0;
    if (isAlone && this.runner.threads > 1 && cut.request.stamp.sizeBytes >= this.sizes.guessFromBytes) {
      for await (const segment of guessedSegments(cut)) {
        yield* blocksFrom(segment, doneBytes);
        doneBytes = Math.max(doneBytes, segment.endBytes);
      }
    }
    for await (const segment of chainedSegments(cut, doneBytes)) yield* blocksFrom(segment, doneBytes);
  }

  async cutSmallFiles(requests: readonly CutRequest[]): Promise<readonly SmallFileCut[]> {
    checkSmall(requests);
    await this.#outliveTick(requests);
    return unpacked(requests, await this.runner.cutSmallFiles({ requests }));
  }

  close(): Promise<void> {
    return this.runner.close();
  }

  /**
   * A file that changed within the last tick of the file system's clock could change again and still carry the same
   * stamp; the change would never be noticed. So reading starts when that tick is over.
   */
  async #outliveTick(requests: readonly CutRequest[], signal?: AbortSignal): Promise<void> {
    const nowMs = this.clock.nowMs();
    const youngestMs = Math.min(...requests.map(({ stamp }) => nowMs - Number(stamp.changedAtNs / NS_PER_MS)));
    if (youngestMs < 0 || youngestMs >= clientLimits.stampTickMs) return;
    try {
      await this.clock.sleep(clientLimits.stampTickMs - youngestMs, signal);
    } catch (error) {
      throw toDrystoneError(error);
    }
  }
}

/** Takes the blocks out of a segment from `fromBytes`, which is where one of its chunks begins, or behind its end. */
function* blocksFrom({ startBytes, chunks, hashes }: CutSegment, fromBytes: number): Generator<CutBlock> {
  let nextBytes = startBytes;
  for (let index = 0, chunk = chunks.shift(); chunk !== undefined; index++, chunk = chunks.shift()) {
    const { sizeBytes, data } = chunk;
    const offsetBytes = nextBytes;
    nextBytes += sizeBytes;
    if (offsetBytes < fromBytes) continue;
    const hash = hashOf(hashes, index);
    yield { hash, offsetBytes, sizeBytes, data: data === undefined ? undefined : asBuffer(data) };
  }
}

function hashOf(packed: Uint8Array, index: number): Buffer {
  return asBuffer(packed.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
}

function checkSmall(requests: readonly CutRequest[]): void {
  if (requests.length > clientLimits.cutTaskFiles) {
    throw invalidArgument('requests', `must be at most ${clientLimits.cutTaskFiles}`);
  }
  let totalBytes = 0;
  for (const { absolutePath, stamp } of requests) {
    if (stamp.sizeBytes > chunking.minBytes) {
      throw invalidArgument('requests', `${absolutePath} is larger than ${chunking.minBytes} bytes`);
    }
    totalBytes += stamp.sizeBytes;
  }
  if (totalBytes > clientLimits.cutTaskBytes) {
    throw invalidArgument('requests', `must be at most ${clientLimits.cutTaskBytes} bytes together`);
  }
}

function unpacked(requests: readonly CutRequest[], result: SmallFilesResult): SmallFileCut[] {
  const refusals = new Map(result.refusals.map(({ index, refusal }) => [index, refusal]));
  let offset = 0;
  let blocks = 0;
  return requests.map(({ stamp }, index) => {
    const refusal = refusals.get(index);
    if (refusal !== undefined) return refusal;
    if (stamp.sizeBytes === 0) return { outcome: 'cut', block: undefined };
    const data = asBuffer(result.data.subarray(offset, offset + stamp.sizeBytes));
    offset += stamp.sizeBytes;
    const { sizeBytes } = stamp;
    return { outcome: 'cut', block: { hash: hashOf(result.hashes, blocks++), offsetBytes: 0, sizeBytes, data } };
  });
}
