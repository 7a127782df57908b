import { DrystoneError } from '../errors.js';

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/**
 * What `thrown` means to whoever wrote at `path`: RESOURCE_EXHAUSTED (DISK_FULL) where the disk, or the quota, is used up. The
 * system names no path where a write fails. Anything else is returned as it is.
 */
export function explainDiskFull(path: string, thrown: unknown): unknown {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code === undefined || !FULL.has(code)) return thrown;
  const text = `${path} cannot be written, since its disk is full; make room, and try again (${message})`;
  return new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', text, {}, { cause: thrown });
}
