import ignore, { type Ignore } from 'ignore';
import { parentPath, twinKey } from '../../common/feed/paths.js';
import type { ItemPath } from '../../common/feed/item.js';
import { PRIVATE_MARK } from '../../common/files/private-mark.js';
import type { IgnoreRules, Observation } from './observation.js';

/** The directory at a folder's root that holds what the client knows about it. */
export const STATE_DIRECTORY = PRIVATE_MARK;

/**
 * Whether a path belongs to what a client keeps in a folder, which is never synced: also in a folder below, which may have been
 * synced by itself. So does what a file system that ignores case takes for it: there, what somebody else has made under such a
 * name would come to lie in it.
 */
export function isKeptByClient(path: string): boolean {
  const mayBe = path.startsWith('.') || path.includes('/.');
  return mayBe && path.split('/').some(isStateName);
}

/** What of a path is kept by a client: the part that names its directory, and those above; undefined where nothing is. */
export function keptByClientAt(path: ItemPath): ItemPath | undefined {
  if (!isKeptByClient(path)) return undefined;
  const parts = path.split('/');
  return parts.slice(0, parts.findIndex(isStateName) + 1).join('/') as ItemPath;
}

const STATE_KEY = twinKey(STATE_DIRECTORY as ItemPath);

function isStateName(name: string): boolean {
  if (name === STATE_DIRECTORY) return true;
  // Folding keeps the length.
  return name.startsWith('.') && name.length === STATE_KEY.length && twinKey(name as ItemPath) === STATE_KEY;
}

/** A file of this name in any directory keeps out of the sync what its patterns, in the syntax of gitignore(5), name. */
export const IGNORE_FILE_NAME = '.drystoneignore';

/** The path of a directory, or of the root. */
export type DirectoryPath = ItemPath | '';

/** The rules for what lies below one directory: its own and those of all directories above it. */
export class RuleSet {
  static readonly none = new RuleSet(undefined);

  private constructor(private readonly matcher: Ignore | undefined) {}

  /** These rules and, with precedence over them, those of an ignore file of `directory`. */
  extendedBy(directory: DirectoryPath, ignoreFile: string): RuleSet {
    const matcher = ignore({ ignorecase: false });
    if (this.matcher !== undefined) matcher.add(this.matcher);
    return new RuleSet(matcher.add(patternsFromRoot(directory, ignoreFile)));
  }

  /** Whether a rule ignores the path or a directory above it. */
  ignores(path: ItemPath, kind: Observation['kind']): boolean {
    if (isKeptByClient(path)) return true;
    if (this.matcher === undefined) return false;
    return this.matcher.ignores(kind === 'directory' ? `${path}/` : path);
  }
}

/** The rules of a whole folder from those of each directory that has an ignore file. */
export class FolderRules implements IgnoreRules {
  static readonly none = new FolderRules(new Map());

  private constructor(private readonly byDirectory: ReadonlyMap<DirectoryPath, RuleSet>) {}

  /** The folder's rules as they are now: this very object while they are what they were. */
  updatedTo(byDirectory: ReadonlyMap<DirectoryPath, RuleSet>): FolderRules {
    const isSame =
      byDirectory.size === this.byDirectory.size &&
      [...byDirectory].every(([directory, rules]) => this.byDirectory.get(directory) === rules);
    return isSame ? this : new FolderRules(byDirectory);
  }

  ignores(path: ItemPath, kind: Observation['kind']): boolean {
    for (let above = parentPath(path); above !== undefined; above = parentPath(above)) {
      const rules = this.byDirectory.get(above);
      if (rules !== undefined) return rules.ignores(path, kind);
    }
    return (this.byDirectory.get('') ?? RuleSet.none).ignores(path, kind);
  }
}

/** The patterns of a directory's ignore file as the same patterns in one at the root. */
function patternsFromRoot(directory: DirectoryPath, ignoreFile: string): string[] {
  const lines = ignoreFile.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (directory === '') return lines;
  const prefix = `/${escapePattern(directory)}/`;
  return lines.filter(isPattern).map((line) => {
    const negation = line.startsWith('!') ? '!' : '';
    const pattern = line.slice(negation.length);
    // A slash before the end ties a pattern to its directory; without one it holds at any depth.
    const tied = /\/(?!\s*$)/.test(pattern);
    return negation + prefix + (tied ? pattern.replace(/^\//, '') : `**/${pattern}`);
  });
}

function isPattern(line: string): boolean {
  return line.trim() !== '' && !line.startsWith('#');
}

/** A path as a pattern that matches nothing else. */
function escapePattern(path: string): string {
  return path.replace(/[\\*?[\] ]/g, '\\$&');
}
