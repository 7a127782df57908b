import { isUtf8 } from 'node:buffer';
import { readdirSync } from 'node:fs';
import { pathProblem, twinKey } from '../../common/feed/paths.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { FoundEntry } from './folder-reader.js';
import { isKeptByClient, type DirectoryPath } from './ignore-rules.js';
import type { ScanProblem } from './observation.js';
import { writtenForms } from './written-forms.js';

/** An entry of a directory with a name that a namespace can carry. */
export interface NamedEntry {
  readonly path: ItemPath;
  readonly diskName: string;
  readonly entry: FoundEntry;
}

type Report = (diskName: string, problem: string, more?: Pick<ScanProblem, 'isSynced' | 'twinOf'>) => void;

/** What stands for bytes that are not UTF-8 when a name is read as text. */
const REPLACEMENT_CHARACTER = '\uFFFD';
const ASCII_ONLY = /^[\0-\x7f]*$/;

/**
 * Pairs what is found in a directory with item paths, in order of the paths. A name that is not in Unicode normalization
 * form C stands for the path that is; where several stand for one path, one of them, the exact one if there is one, is
 * taken and the others are problems. So are names that are not text, those that break the rules for paths, and those that
 * elsewhere would be the name of the client's own directory. Names that
 * other file systems cannot tell apart are both taken, and reported.
 */
export function nameEntries(
  absoluteDirectory: string,
  directory: DirectoryPath,
  entries: readonly FoundEntry[],
): { readonly named: readonly NamedEntry[]; readonly problems: readonly ScanProblem[] } {
  const problems: ScanProblem[] = [];
  const report: Report = (diskName, problem, more) => {
    problems.push({ name: joined(directory, diskName), problem, ...more });
  };
  const byPath = new Map<ItemPath, NamedEntry>();
  for (const entry of textual(absoluteDirectory, entries, report)) {
    const named = { path: itemPathOf(directory, entry.name), diskName: entry.name, entry };
    const problem = pathProblem(named.path);
    if (problem !== undefined) {
      report(entry.name, `its path ${problem}; rename it to have it synced`);
      continue;
    }
    if (isKeptByClient(entry.name)) {
      report(
        entry.name,
        `where case is ignored its name is that of the client's own directory; rename it to have it synced`,
      );
      continue;
    }
    const twin = byPath.get(named.path);
    if (twin === undefined || isExact(named)) byPath.set(named.path, named);
    if (twin !== undefined) {
      const [taken, left] = isExact(named) ? [named, twin] : [twin, named];
      report(left.diskName, sameName(taken, left), { twinOf: named.path });
    }
  }
  const named = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  reportLookalikes(named, report);
  return { named, problems };
}

/** Both look the same: which of them is left can only be told by how they are written. */
function sameName(taken: NamedEntry, left: NamedEntry): string {
  const [other, own] = writtenForms(taken.diskName, left.diskName);
  return `another entry has the same name in another Unicode form, '${other}', and this one is '${own}'; rename it to have it synced`;
}

/** The path of an entry of a directory. */
function itemPathOf(directory: DirectoryPath, diskName: string): ItemPath {
  return joined(directory, ASCII_ONLY.test(diskName) ? diskName : diskName.normalize('NFC')) as ItemPath;
}

function joined(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

function isExact({ path, diskName }: NamedEntry): boolean {
  return path.endsWith(diskName);
}

/** The entries whose names are UTF-8, sorted, so that every scan decides alike between twins. */
function textual(absoluteDirectory: string, entries: readonly FoundEntry[], report: Report): readonly FoundEntry[] {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (!sorted.some(({ name }) => name.includes(REPLACEMENT_CHARACTER))) return sorted;
  const valid = new Set(
    readdirSync(absoluteDirectory, 'buffer')
      .filter((name) => isUtf8(name))
      .map((name) => name.toString()),
  );
  return sorted.filter(({ name }) => {
    if (valid.has(name)) return true;
    report(name, 'its name is not valid UTF-8; rename it to have it synced');
    return false;
  });
}

function reportLookalikes(named: readonly NamedEntry[], report: Report): void {
  const seen = new Map<string, NamedEntry>();
  for (const entry of named) {
    const key = ASCII_ONLY.test(entry.path) ? entry.path.toLowerCase() : twinKey(entry.path);
    const twin = seen.get(key);
    if (twin === undefined) seen.set(key, entry);
    else report(entry.diskName, lookalike(twin), { isSynced: true });
  }
}

function lookalike({ diskName }: NamedEntry): string {
  return `some file systems cannot tell its name from '${diskName}'; rename one of them`;
}
