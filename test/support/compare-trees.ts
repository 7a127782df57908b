import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a tree holds at one path, as far as syncing promises to keep it. */
export type TreeState =
  | {
      readonly kind: 'file';
      readonly sha256: string;
      readonly sizeBytes: number;
      readonly executable: boolean;
      /** Whole milliseconds. */
      readonly modifiedAtMs: number;
    }
  | { readonly kind: 'directory' }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'other' };

/** What a client keeps in the folder that it syncs, and never syncs. */
const STATE_DIRECTORY = '.drystone';

/** Everything below `root`, by path; a client's own state at the top is left out. Reads every file. */
export function readTree(root: string): Map<string, TreeState> {
  const states = new Map<string, TreeState>();
  const visit = (directory: string): void => {
    for (const name of readdirSync(`${root}/${directory}`)) {
      const path = directory === '' ? name : `${directory}/${name}`;
      if (path === STATE_DIRECTORY) continue;
      const state = readState(`${root}/${path}`);
      states.set(path, state);
      if (state.kind === 'directory') visit(path);
    }
  };
  visit('');
  return states;
}

function readState(path: string): TreeState {
  const stat = lstatSync(path, { bigint: true });
  if (stat.isDirectory()) return { kind: 'directory' };
  if (stat.isSymbolicLink()) return { kind: 'symlink', target: readlinkSync(path) };
  if (!stat.isFile()) return { kind: 'other' };
  return {
    kind: 'file',
    sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
    sizeBytes: Number(stat.size),
    executable: (stat.mode & 0o100n) !== 0n,
    modifiedAtMs: Number(stat.mtimeNs / 1_000_000n),
  };
}

/** How two trees differ, one line a path, in order; empty where they are the same. */
function treeDifferences(a: ReadonlyMap<string, TreeState>, b: ReadonlyMap<string, TreeState>): string[] {
  const paths = [...new Set([...a.keys(), ...b.keys()])].sort();
  return paths.flatMap((path) => {
    const left = describe(a.get(path));
    const right = describe(b.get(path));
    return left === right ? [] : [`${JSON.stringify(path)}: ${left} ≠ ${right}`];
  });
}

/** {@link treeDifferences} of the trees at two places on disk. */
export function folderDifferences(rootA: string, rootB: string): string[] {
  return treeDifferences(readTree(rootA), readTree(rootB));
}

function describe(state: TreeState | undefined): string {
  return state === undefined ? 'absent' : JSON.stringify(state);
}
