import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DrystoneError } from '../../common/errors.js';
import { explainDiskFull } from '../../common/files/disk-full.js';
import { syncDirectory, writeFileDurably } from '../../common/files/durable-file.js';

const KEY_FILE = 'ca.key';
const CERTIFICATES_FILE = 'ca.crt';
const LAST_FINGERPRINTS_FILE = 'last-fingerprints';

/** Bits of a file's mode. */
const OWNER = 0o700;
const OTHERS = 0o077;

/** What the directory of a CA holds. */
export interface CaFiles {
  readonly keyPem: string;
  /** PEM: the certificate of the key first, then others that the fleet trusts. */
  readonly certificatesPem: string;
}

/**
 * Reads the CA's files in `dir`; undefined where there has never been one. The key becomes its owner's alone: an
 * operator's copy has the mode that the copying gave it. FAILED_PRECONDITION (KEY_UNREADABLE) where a file is missing: a
 * CA made in its place would lock out all that were certified by the one that is lost.
 */
export async function readCaFiles(dir: string): Promise<CaFiles | undefined> {
  const keyPem = await readIfThere(join(dir, KEY_FILE));
  const certificatesPem = await readIfThere(join(dir, CERTIFICATES_FILE));
  const isNew =
    keyPem === undefined && certificatesPem === undefined && (await readLastFingerprints(dir)) === undefined;
  if (isNew) return undefined;
  if (keyPem === undefined || certificatesPem === undefined) {
    const missing = keyPem === undefined ? KEY_FILE : CERTIFICATES_FILE;
    const advice = `restore it from a backup, or remove ${dir} to begin anew with a CA that nobody knows yet`;
    throw new DrystoneError('FAILED_PRECONDITION', 'KEY_UNREADABLE', `${dir} has lost its ${missing}; ${advice}`);
  }
  await protect(join(dir, KEY_FILE));
  return { keyPem, certificatesPem };
}

/** Takes from others what a key's mode lets them do. */
async function protect(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & OTHERS) === 0) return;
  try {
    await chmod(path, mode & OWNER);
  } catch (thrown) {
    const message = `others can read ${path}, and its mode cannot be changed; make it 0600`;
    throw new DrystoneError('FAILED_PRECONDITION', 'KEY_UNREADABLE', message, {}, { cause: thrown });
  }
}

/** Puts a new CA into `dir`, which has none: after a crash at any moment it is whole, or not there. */
export async function placeCaFiles(
  dir: string,
  { keyPem, certificatesPem }: CaFiles,
  fingerprints: readonly string[],
): Promise<void> {
  const beside = `${dir}.new`;
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { mode: 0o700 });
  await writeSynced(join(beside, KEY_FILE), keyPem, 0o600);
  await writeSynced(join(beside, CERTIFICATES_FILE), certificatesPem, 0o644);
  await writeSynced(join(beside, LAST_FINGERPRINTS_FILE), linesOf(fingerprints), 0o644);
  await syncDirectory(beside);
  await rename(beside, dir);
  await syncDirectory(dirname(dir));
}

/** The fingerprints of the certificates that were trusted last, as they were written; undefined where there were none. */
export async function readLastFingerprints(dir: string): Promise<readonly string[] | undefined> {
  return (await readIfThere(join(dir, LAST_FINGERPRINTS_FILE)))?.split('\n').filter((line) => line !== '');
}

/** Remembers which certificates are trusted; durable when it resolves. */
export async function writeLastFingerprints(dir: string, fingerprints: readonly string[]): Promise<void> {
  await writeFileDurably(join(dir, LAST_FINGERPRINTS_FILE), linesOf(fingerprints));
}

function linesOf(fingerprints: readonly string[]): string {
  return fingerprints.map((fingerprint) => `${fingerprint}\n`).join('');
}

async function writeSynced(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (thrown) {
    throw explainDiskFull(path, thrown);
  } finally {
    await file.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}
