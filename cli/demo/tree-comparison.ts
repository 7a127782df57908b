import type { TreeEntry, TreeSnapshot } from './tree-snapshot.js';

/** A path at which two folders are not the same, and how, for people. */
export interface TreeDifference {
  readonly path: string;
  readonly left: string;
  readonly right: string;
}

/** How two folders differ, in the order of paths; empty where they are identical. */
export function compareTrees(left: TreeSnapshot, right: TreeSnapshot): readonly TreeDifference[] {
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  return paths.flatMap((path) => {
    const difference = { path, left: describe(left.get(path)), right: describe(right.get(path)) };
    return difference.left === difference.right ? [] : [difference];
  });
}

/** What a folder consists of. */
export interface TreeTotals {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Of all files together. */
  readonly bytes: number;
}

/** Counts what a folder consists of. */
export function totalsOf(tree: TreeSnapshot): TreeTotals {
  const entries = [...tree.values()];
  const count = (kind: TreeEntry['kind']): number => entries.filter((entry) => entry.kind === kind).length;
  const bytes = entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.sizeBytes : 0), 0);
  return { files: count('file'), directories: count('directory'), symlinks: count('symlink'), bytes };
}

function describe(entry: TreeEntry | undefined): string {
  switch (entry?.kind) {
    case undefined:
      return 'nothing';
    case 'file': {
      const { sizeBytes, modifiedAtMs, executable, sha256 } = entry;
      const content = sha256 === undefined ? '' : `, SHA-256 ${sha256}`;
      const mode = executable ? ', executable' : '';
      return `file of ${sizeBytes} bytes${content}, modified ${new Date(modifiedAtMs).toISOString()}${mode}`;
    }
    case 'symlink':
      return `symlink to ${JSON.stringify(entry.target)}`;
    case 'directory':
    case 'other':
      return entry.kind;
  }
}
