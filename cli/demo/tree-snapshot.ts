import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { cancelled } from '../../common/errors.js';

/** What a folder holds at one path: all that syncing promises to keep. */
export type TreeEntry =
  | {
      readonly kind: 'file';
      readonly sizeBytes: number;
      /** Whole milliseconds since 1970 UTC. */
      readonly modifiedAtMs: number;
      readonly executable: boolean;
      /** In hexadecimal; undefined where the content was not read. */
      readonly sha256: string | undefined;
    }
  | { readonly kind: 'directory' }
  | { readonly kind: 'symlink'; readonly target: string }
  /** What is never synced: sockets, pipes, devices. */
  | { readonly kind: 'other' };

/** A folder by path, in the order of its paths. */
export type TreeSnapshot = ReadonlyMap<string, TreeEntry>;

/** A client's own state in the folder that it syncs; never synced. */
const STATE_DIRECTORY = '.drystone';

/** A stream for each small file would cost more than reading it. */
const READ_AT_ONCE_BYTES = 1024 * 1024;

/**
 * All that lies below `root`; symlinks are not followed. With `readContents` every file is read and hashed; without it the
 * snapshot is quick and says nothing of bytes. What vanishes while it is looked at is left out. Raises CANCELLED when
 * `signal` aborts.
 */
export async function takeSnapshot(root: string, readContents: boolean, signal: AbortSignal): Promise<TreeSnapshot> {
  const entries = new Map<string, TreeEntry>();
  const directories = [''];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const names = await readdir(`${root}/${directory}`).catch(ignoreVanished);
    for (const name of names ?? []) {
      if (signal.aborted) throw cancelled('looking at a folder');
      const path = directory === '' ? name : `${directory}/${name}`;
      if (path === STATE_DIRECTORY) continue;
      const entry = await readEntry(`${root}/${path}`, readContents).catch(ignoreVanished);
      if (entry === undefined) continue;
      entries.set(path, entry);
      if (entry.kind === 'directory') directories.push(path);
    }
  }
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function ignoreVanished(thrown: unknown): undefined {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw thrown;
  return undefined;
}

async function readEntry(path: string, readContents: boolean): Promise<TreeEntry> {
  const stat = await lstat(path, { bigint: true });
  if (stat.isDirectory()) return { kind: 'directory' };
  if (stat.isSymbolicLink()) return { kind: 'symlink', target: await readlink(path) };
  if (!stat.isFile()) return { kind: 'other' };
  return {
    kind: 'file',
    sizeBytes: Number(stat.size),
    modifiedAtMs: Number(stat.mtimeMs),
    executable: (stat.mode & 0o100n) !== 0n,
    sha256: readContents ? await hashFile(path, Number(stat.size)) : undefined,
  };
}

async function hashFile(path: string, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  if (sizeBytes <= READ_AT_ONCE_BYTES) hash.update(await readFile(path));
  else await pipeline(createReadStream(path, { highWaterMark: READ_AT_ONCE_BYTES }), hash);
  return hash.digest('hex');
}
