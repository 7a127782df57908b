import { invalidArgument } from '../errors.js';
import { wireLimits } from '../limits.js';
import type { ItemPath } from './item.js';

/** Why a path cannot be one of a namespace, or undefined where it can. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (path.startsWith('/')) return 'must not begin with a slash';
  if (path.includes('\0')) return 'must not contain NUL';
  if (!path.isWellFormed()) return 'must be well-formed Unicode';
  if (Buffer.byteLength(path) > wireLimits.pathBytes) return `must have at most ${wireLimits.pathBytes} bytes`;
  for (const part of path.split('/')) {
    if (part === '') return 'must not have an empty part';
    if (part === '.' || part === '..') return `must not have the part '${part}'`;
    if (Buffer.byteLength(part) > wireLimits.pathPartBytes) {
      return `must not have a part of more than ${wireLimits.pathPartBytes} bytes`;
    }
  }
  if (path !== path.normalize('NFC')) return 'must be in Unicode normalization form C';
  return undefined;
}

/** `path` as a path of a namespace, or INVALID_ARGUMENT that names `field`. */
export function parseItemPath(field: string, path: string): ItemPath {
  const problem = pathProblem(path);
  if (problem !== undefined) throw invalidArgument(field, problem);
  return path as ItemPath;
}

/** The path of the directory that contains `path`, or undefined at the namespace's root. */
export function parentPath(path: ItemPath): ItemPath | undefined {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? undefined : (path.slice(0, slash) as ItemPath);
}

/** The last part of `path`. */
export function baseName(path: ItemPath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether `path` is `prefix` or lies below it; everything lies below the empty prefix. */
export function isAtOrBelow(path: string, prefix: string): boolean {
  return prefix === '' || path === prefix || (path.startsWith(prefix) && path[prefix.length] === '/');
}

/**
 * What two paths share when a file system that ignores case or normalization would take them for one: like NTFS and APFS
 * it maps character by character, so `straße` and `STRASSE` are no twins. Only for finding twins; never a name on disk.
 */
export function twinKey(path: ItemPath): string {
  const folded = Array.from(path.normalize('NFC'), (character) => {
    const upper = character.toUpperCase();
    const lower = (upper.length === character.length ? upper : character).toLowerCase();
    return lower.length === character.length ? lower : character;
  });
  return folded.join('').normalize('NFC');
}
