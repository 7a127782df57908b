import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { hashBlockSync } from '../../../common/block-hash.js';
import { wireLimits } from '../../../common/limits.js';
import { refusalOf } from './disk-refusal.js';
import type { CopyBlocksTask, CopyOutcome } from './disk-task.js';

const SOURCE_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const TARGET_FLAGS = constants.O_WRONLY | constants.O_NOFOLLOW;

/** One buffer for all tasks of a thread: they run one after the other. */
let buffer: Buffer | undefined;

/** See `Disk.copyBlocks`. A source that cannot be read holds none of its blocks. */
export function copyBlocks(task: CopyBlocksTask): CopyOutcome {
  let source: number;
  try {
    source = openSync(task.source, SOURCE_FLAGS);
  } catch {
    return { outcome: 'done', wrong: task.blocks.map((_, index) => index) };
  }
  try {
    const target = openSync(task.target, TARGET_FLAGS);
    try {
      return { outcome: 'done', wrong: copyBetween(source, target, task) };
    } finally {
      closeSync(target);
    }
  } catch (thrown) {
    return refusalOf(thrown);
  } finally {
    closeSync(source);
  }
}

function copyBetween(source: number, target: number, task: CopyBlocksTask): number[] {
  const isInPlace = task.source === task.target;
  buffer ??= Buffer.allocUnsafeSlow(wireLimits.blockBytes);
  const wrong: number[] = [];
  for (const [index, { hash, sizeBytes, sourceOffset, targetOffset }] of task.blocks.entries()) {
    const bytes = buffer.subarray(0, sizeBytes);
    if (!readFully(source, bytes, sourceOffset) || !hashBlockSync(bytes).equals(hash)) {
      wrong.push(index);
      continue;
    }
    if (isInPlace && sourceOffset === targetOffset) continue;
    for (let written = 0; written < sizeBytes;) {
      written += writeSync(target, bytes, written, sizeBytes - written, targetOffset + written);
    }
  }
  return wrong;
}

function readFully(descriptor: number, bytes: Buffer, position: number): boolean {
  try {
    for (let got = 0; got < bytes.length;) {
      const count = readSync(descriptor, bytes, got, bytes.length - got, position + got);
      if (count === 0) return false;
      got += count;
    }
    return true;
  } catch {
    return false;
  }
}
