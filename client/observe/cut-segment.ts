import { HASH_BYTES } from '../../common/block-hash.js';
import { ChunkFinder } from './chunk-finder.js';
import { FileWindow } from './file-window.js';
import { readStable } from './stable-file.js';
import type { CutChunk, SegmentResult, SegmentTask } from './cut-task.js';
import type { FastCdc } from './fastcdc/fastcdc.js';

/**
 * Does one task on the calling thread: reads, cuts, hashes.
 *
 * Where the cutting begins decides the next few chunks only: soon both agree on a cut that the content asks for, and from
 * there they are one. That is what is waited for with `meetWithinBytes`.
 */
export function cutSegment(chunker: FastCdc, task: SegmentTask): SegmentResult {
  return readStable(task, (descriptor) => {
    const { sizeBytes } = task.stamp;
    const window = new FileWindow(chunker, descriptor, sizeBytes, task.startBytes);
    const finder = new ChunkFinder(chunker, window, sizeBytes, task.known);
    const chunks: CutChunk[] = [];
    const hashes: Buffer[] = [];
    let endBytes = task.startBytes;

    const takeChunk = (): void => {
      const { sizeBytes, hash, isKnown } = finder.next(endBytes);
      hashes.push(hash);
      chunks.push({ sizeBytes, data: isKnown ? undefined : ownCopy(window.view(endBytes, sizeBytes)) });
      endBytes += sizeBytes;
    };

    const stopBytes = Math.min(task.stopBytes, sizeBytes);
    while (endBytes < stopBytes) takeChunk();

    let guessBytes = stopBytes;
    while (endBytes !== guessBytes && endBytes < stopBytes + task.meetWithinBytes) {
      if (endBytes < guessBytes) takeChunk();
      else guessBytes += window.chunkSize(guessBytes);
    }
    return {
      outcome: 'cut',
      startBytes: task.startBytes,
      endBytes,
      met: endBytes === guessBytes,
      movedBytes: finder.movedBytes,
      hashes: packed(hashes),
      chunks,
    };
  });
}

/** A copy in memory of its own, so that it can be handed to another thread and freed by itself. */
function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

function packed(hashes: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(hashes.length * HASH_BYTES);
  for (const [index, hash] of hashes.entries()) all.set(hash, index * HASH_BYTES);
  return all;
}
