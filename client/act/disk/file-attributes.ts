import { fchmodSync, fstatSync, futimesSync } from 'node:fs';

const READ_BITS = 0o444;
const EXECUTE_BITS = 0o111;
const PERMISSION_BITS = 0o777;

/** Permissions with the executable bit set for everyone who may read, or for nobody. */
function withExecutable(mode: number, executable: boolean): number {
  const permissions = mode & PERMISSION_BITS;
  return executable ? permissions | ((permissions & READ_BITS) >> 2) : permissions & ~EXECUTE_BITS;
}

/**
 * Sets an open file's modification time and executable bit; the other permissions are those of `mode`, or its own. Times
 * before 1970 are set to the second, since libuv gets their fractions wrong.
 */
export function setAttributes(
  descriptor: number,
  { modifiedAtMs, executable }: { readonly modifiedAtMs: number; readonly executable: boolean },
  mode?: number,
): void {
  const own = fstatSync(descriptor).mode & PERMISSION_BITS;
  const wanted = withExecutable(mode ?? own, executable);
  if (wanted !== own) fchmodSync(descriptor, wanted);
  const seconds = secondsOf(modifiedAtMs);
  futimesSync(descriptor, seconds, seconds);
}

/**
 * A time for `futimes`: half a microsecond late, because as a fraction of seconds it would fall just short of its
 * millisecond; and as text, because Node takes a negative number for the present.
 */
function secondsOf(ms: number): string {
  return String(ms < 0 ? Math.floor(ms / 1000) : (ms + 0.0005) / 1000);
}
