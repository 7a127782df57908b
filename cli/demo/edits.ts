import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DrystoneError } from '../../common/errors.js';
import { formatBytes } from '../../common/format-bytes.js';
import { formatNumberOf } from '../output/units.js';
import { seededRandom } from './seeded-random.js';
import type { TreeEntry, TreeSnapshot } from './tree-snapshot.js';

/** Something done to a folder, as it is told to the user. */
export interface Edit {
  readonly title: string;
  /** Does it to the folder at `root`. */
  readonly apply: (root: string) => Promise<void>;
}

const INSERTED_BYTES = 1000;
const HOUR_MS = 60 * 60 * 1000;

/**
 * What the demo does to a folder that looks like `tree`, one after the other: it inserts 1,000 bytes in the middle of
 * the largest file, renames the directory at the top that holds it (or the file, where it lies at the top itself), and
 * deletes the largest other directory (or file). Raises INVALID_ARGUMENT where there is no file to edit.
 */
export function planEdits(tree: TreeSnapshot): readonly Edit[] {
  const largest = largestFile(tree);
  if (largest === undefined) {
    throw new DrystoneError('INVALID_ARGUMENT', 'FIELD_INVALID', '--source: holds no file that is not empty', {
      field: '--source',
    });
  }
  const [top = largest.path] = largest.path.split('/');
  const renamed = freeName(tree, `${top} (renamed)`);
  const edits = [insertInMiddle(largest.path, largest.sizeBytes), renaming(tree, top, renamed)];
  const victim = deletionVictim(tree, top);
  return victim === undefined ? edits : [...edits, deleting(tree, victim)];
}

function largestFile(tree: TreeSnapshot): { readonly path: string; readonly sizeBytes: number } | undefined {
  let largest: { path: string; sizeBytes: number } | undefined;
  for (const [path, entry] of tree) {
    if (entry.kind !== 'file' || entry.sizeBytes <= (largest?.sizeBytes ?? 0)) continue;
    largest = { path, sizeBytes: entry.sizeBytes };
  }
  return largest;
}

function freeName(tree: TreeSnapshot, wanted: string): string {
  return tree.has(wanted) ? freeName(tree, `${wanted}'`) : wanted;
}

/** The directory, not at or below or above `spared`, with the most entries; else the first file elsewhere. */
function deletionVictim(tree: TreeSnapshot, spared: string): string | undefined {
  const elsewhere = [...tree].filter(([path]) => path.split('/')[0] !== spared);
  const counts = new Map<string, number>();
  for (const [path] of elsewhere) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const directory = parts.slice(0, depth).join('/');
      counts.set(directory, (counts.get(directory) ?? 0) + 1);
    }
  }
  const [fullest] = [...counts].sort(([, a], [, b]) => b - a);
  return fullest?.[0] ?? elsewhere.find(([, { kind }]) => kind === 'file')?.[0];
}

function insertInMiddle(path: string, sizeBytes: number): Edit {
  return {
    title: `${INSERTED_BYTES} bytes inserted in the middle of ${JSON.stringify(path)} (${formatBytes(sizeBytes)})`,
    apply: (root) => insertBytes(join(root, path), `${root}.edited`, Math.ceil(sizeBytes / 2)),
  };
}

/**
 * Writes the changed file beside the folder and puts it in place whole, as careful editors do. It is dated an hour after
 * the old one, so that the same edit of a copy gives the same.
 */
async function insertBytes(file: string, temporary: string, at: number): Promise<void> {
  const { mode, mtimeMs } = await stat(file);
  const output = createWriteStream(temporary, { mode });
  await pipeline(createReadStream(file, { end: at - 1 }), output, { end: false });
  output.write(seededRandom('drystone demo edit').bytes(INSERTED_BYTES));
  await pipeline(createReadStream(file, { start: at }), output);
  const modifiedAtSeconds = (Math.floor(mtimeMs) + HOUR_MS) / 1000;
  await utimes(temporary, modifiedAtSeconds, modifiedAtSeconds);
  await rename(temporary, file);
}

function renaming(tree: TreeSnapshot, from: string, to: string): Edit {
  return {
    title: `${kindName(tree.get(from))} ${JSON.stringify(from)} renamed to ${JSON.stringify(to)}`,
    apply: (root) => rename(join(root, from), join(root, to)),
  };
}

function deleting(tree: TreeSnapshot, path: string): Edit {
  const inside = [...tree.keys()].filter((other) => other.startsWith(`${path}/`)).length;
  const content = inside === 0 ? '' : ` with ${formatNumberOf(inside, 'entry', 'entries')}`;
  return {
    title: `${kindName(tree.get(path))} ${JSON.stringify(path)}${content} deleted`,
    apply: (root) => rm(join(root, path), { recursive: true }),
  };
}

function kindName(entry: TreeEntry | undefined): string {
  return entry?.kind === 'directory' ? 'folder' : 'file';
}
