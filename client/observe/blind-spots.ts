import { lstatSync, readdirSync, type Dirent } from 'node:fs';

const PATHS_PER_STEP = 64;

/**
 * Whether one of the paths that were announced as changed is a directory with a directory in it that was not announced,
 * in steps between which others may run. Paths are relative to `root`.
 */
export function* hasUnannouncedDirectory(root: string, announced: ReadonlySet<string>): Generator<undefined, boolean> {
  let count = 0;
  for (const path of announced) {
    if (++count % PATHS_PER_STEP === 0) yield;
    if (entriesOf(`${root}/${path}`).some((entry) => entry.isDirectory() && !announced.has(`${path}/${entry.name}`))) {
      return true;
    }
  }
  return false;
}

/** What is in a directory; nothing where there is none, or none that may be read. */
function entriesOf(absolutePath: string): readonly Dirent[] {
  try {
    if (lstatSync(absolutePath, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    return readdirSync(absolutePath, { withFileTypes: true });
  } catch {
    return [];
  }
}
