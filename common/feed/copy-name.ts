import type { ItemPath } from './item.js';
import { conflictPath, splitName, type CopyMarks } from './conflict-name.js';
import { baseName, parentPath } from './paths.js';

/** Which paths there are, for finding out whose conflicted copy one of them is. */
export interface PathIndex {
  has(path: ItemPath): boolean;
  /** The paths below a directory, or all where it is empty. */
  below(directory: ItemPath | ''): Iterable<ItemPath>;
}

/** A path that is called as a conflicted copy is. */
interface CopyName {
  /** The path that it is a copy of, where the name was not shortened. */
  readonly plain: ItemPath;
  readonly marks: Omit<CopyMarks, 'device'> & { readonly device: string };
  readonly isShortened: boolean;
}

const STEM =
  /^(.*) \(conflicted copy, ([0-9a-f]{8}), (\d{4}-\d{2}-\d{2})(?:, ([1-9]\d{0,15}))?(?:, ([0-9a-f]{8}))?\)$/su;
/** Eight digits at the end may be a number, or the tag of a shortened name. */
const TAG = /^\d{8}$/;

/**
 * The path of which `path` is a conflicted copy, by their names; undefined where it is called otherwise, or the path that it
 * would be a copy of is not there.
 */
export function originalOf(path: ItemPath, paths: PathIndex): ItemPath | undefined {
  for (const name of copyNames(path)) {
    if (!name.isShortened) {
      if (paths.has(name.plain)) return name.plain;
      continue;
    }
    for (const candidate of paths.below(parentPath(path) ?? '')) {
      if (candidate !== path && isCopyOf(path, candidate, name)) return candidate;
    }
  }
  return undefined;
}

/** Every way to read a path as one of a conflicted copy, of which there are seldom two. */
function copyNames(path: ItemPath): CopyName[] {
  const [stem, extension] = splitName(baseName(path));
  const match = STEM.exec(stem);
  if (match === null) return [];
  const [, original = '', device = '', date = '', number, tag] = match;
  const dateMs = Date.parse(date);
  if (original === '' || Number.isNaN(dateMs)) return [];
  const above = parentPath(path);
  const plain = (above === undefined ? original + extension : `${above}/${original}${extension}`) as ItemPath;
  const named = (counter: string | undefined, mark: string | undefined): CopyName => {
    const marks = { device, dateMs, number: Number(counter ?? 1), tag: mark ?? '' };
    return { plain, marks, isShortened: mark !== undefined };
  };
  const names = [named(number, tag)];
  if (tag === undefined && number !== undefined && TAG.test(number)) names.push(named(undefined, number));
  return names;
}

function isCopyOf(path: ItemPath, original: ItemPath, { marks }: CopyName): boolean {
  return conflictPath(original, { ...marks, device: marks.device as CopyMarks['device'] }) === path;
}
