import type { TreeEntry, TreeSnapshot } from './tree-snapshot.js';

/** A path at which a folder is not as it should be, and how, for people. */
export interface TreeDifference {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** Where a folder is not as expected, in the order of paths; empty where the two are identical. */
export function compareTrees(expected: TreeSnapshot, found: TreeSnapshot): readonly TreeDifference[] {
  const paths = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return paths.flatMap((path) => {
    const difference = { path, expected: describe(expected.get(path)), found: describe(found.get(path)) };
    return difference.expected === difference.found ? [] : [difference];
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
