import { FolderChanged } from './safe-folder.js';
import type { DiskRefusal } from './disk-task.js';

/** The folder changed under the operation; a look at it tells how. */
const CHANGED = new Set(['ENOENT', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ELOOP']);

/** The disk's trouble, not the operation's. */
const POSTPONED = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'EBUSY', 'EAGAIN', 'ENOMEM']);

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENAMETOOLONG: 'the name is too long for this file system; rename it on another device',
  EINVAL: 'this file system does not allow the name; rename it on another device',
  EILSEQ: 'this file system does not allow the name; rename it on another device',
  EACCES: 'this account may not write there; change the permissions of the directory',
  EPERM: 'this account may not do that; change the owner or the permissions',
  EROFS: 'the file system is read-only',
  EXDEV: 'it lies on another file system than the folder, where nothing can be renamed to; sync that one by itself',
  ENOTEMPTY: 'the directory was removed elsewhere, but holds entries here that are not synced; move or remove them',
  EFBIG: 'the file is too large for this file system',
  ENOSPC: 'the disk is full; make room',
  EDQUOT: 'the disk quota is used up; make room',
};

/** What an error of the file system means for an operation. What is no such error is thrown on. */
export function refusalOf(thrown: unknown): DiskRefusal {
  if (thrown instanceof FolderChanged) return { outcome: 'changed' };
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code === undefined) throw thrown;
  if (CHANGED.has(code)) return { outcome: 'changed' };
  const problem = EXPLANATIONS[code] ?? message;
  return { outcome: POSTPONED.has(code) ? 'postponed' : 'refused', problem };
}
