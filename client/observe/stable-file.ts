import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { FileRefusal } from './cut-task.js';
import type { CutRequest } from './cutter.js';
import type { FoundStats } from './folder-reader.js';
import type { FileStamp } from './observation.js';

/** Neither through a symlink that has taken the file's place, nor waiting for a writer where a pipe has. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The stamp of a file from what the system says about it. */
export function stampOf(stats: FoundStats): FileStamp {
  return {
    sizeBytes: Number(stats.size),
    modifiedAtNs: stats.mtimeNs,
    changedAtNs: stats.ctimeNs,
    inode: stats.ino,
  };
}

/** Whether two stamps are of the same content. */
export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return (
    a.sizeBytes === b.sizeBytes &&
    a.modifiedAtNs === b.modifiedAtNs &&
    a.changedAtNs === b.changedAtNs &&
    a.inode === b.inode
  );
}

/**
 * What `read` makes of the open file, if the file was as its stamp says before and after; else why not. `read` may throw
 * {@link ShortRead} and what the file system throws; it must not keep the descriptor.
 */
export function readStable<Result>(request: CutRequest, read: (descriptor: number) => Result): Result | FileRefusal {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(request.absolutePath, OPEN_FLAGS);
    if (!isAsStamped(descriptor, request.stamp)) return changed(request);
    const result = read(descriptor);
    return isAsStamped(descriptor, request.stamp) ? result : changed(request);
  } catch (error) {
    return refusalOf(request, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Raised where a file ends before its stamped size. */
export class ShortRead extends Error {}

function isAsStamped(descriptor: number, stamp: FileStamp): boolean {
  return sameStamp(stampOf(fstatSync(descriptor, { bigint: true })), stamp);
}

function changed({ absolutePath }: CutRequest): FileRefusal {
  return { outcome: 'unstable', message: `${absolutePath} changed while it was read` };
}

function refusalOf(request: CutRequest, error: unknown): FileRefusal {
  if (error instanceof ShortRead) return changed(request);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return { outcome: 'vanished', message: `${request.absolutePath} is gone` };
  }
  if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') return changed(request);
  return { outcome: 'unreadable', message: `${request.absolutePath} cannot be read: ${message}` };
}
