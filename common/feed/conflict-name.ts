import type { DeviceId } from '../ids.js';
import { wireLimits } from '../limits.js';
import type { ItemPath } from './item.js';
import { baseName, parentPath } from './paths.js';

/** How much of a device's id a name shows. */
const DEVICE_LETTERS = 8;
const DATE_LETTERS = 'YYYY-MM-DD'.length;
/** The longest extension that is taken for one. */
const EXTENSION_BYTES = 32;
/** What is left of a name at the least: a letter of any script. */
const STEM_BYTES = 4;

/** What tells conflicted copies of one path apart. */
export interface CopyMarks {
  /** Whose content it is. */
  readonly device: DeviceId;
  /** Of which day, in milliseconds since 1970 UTC. */
  readonly dateMs: number;
  /** From 1; the first is not shown. */
  readonly number: number;
  /** Shown where the path is too long to be told by the rest. */
  readonly tag: string;
}

/**
 * The path of a conflicted copy of what was at `path`: `name (conflicted copy, DEVICE, DATE).ext`, with the number behind
 * the date. Where that is longer than a path may be, the name is shortened and carries the tag, and where the directories
 * above leave no room for it, the copy lies higher up. The same for the same marks everywhere; other marks, or another
 * path, give another path.
 */
export function conflictPath(path: ItemPath, marks: CopyMarks): ItemPath {
  const above = parentPath(path);
  const [stem, extension] = splitName(baseName(path));
  const plain = joined(above, stem + endingOf(marks, '') + extension);
  if (isShortEnough(plain, above)) return plain;
  const ending = endingOf(marks, `, ${marks.tag}`) + extension;
  for (let directory = above; ; directory = directory === undefined ? undefined : parentPath(directory)) {
    const room = roomIn(directory) - Buffer.byteLength(ending);
    if (room >= STEM_BYTES) return joined(directory, cutToBytes(stem, room) + ending);
  }
}

function endingOf({ device, dateMs, number }: CopyMarks, tag: string): string {
  const date = new Date(dateMs).toISOString().slice(0, DATE_LETTERS);
  return ` (conflicted copy, ${device.slice(0, DEVICE_LETTERS)}, ${date}${number === 1 ? '' : `, ${number}`}${tag})`;
}

function joined(directory: ItemPath | undefined, name: string): ItemPath {
  return (directory === undefined ? name : `${directory}/${name}`) as ItemPath;
}

function isShortEnough(path: ItemPath, directory: ItemPath | undefined): boolean {
  return Buffer.byteLength(baseName(path)) <= roomIn(directory);
}

/** The bytes that a name in `directory` may have. */
function roomIn(directory: ItemPath | undefined): number {
  const left = directory === undefined ? wireLimits.pathBytes : wireLimits.pathBytes - Buffer.byteLength(directory) - 1;
  return Math.min(left, wireLimits.pathPartBytes);
}

/** A name's stem and its extension with the dot; a leading dot begins no extension, and neither does a very long one. */
export function splitName(name: string): [stem: string, extension: string] {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  if (Buffer.byteLength(extension) > EXTENSION_BYTES) return [name, ''];
  return [name.slice(0, name.length - extension.length), extension];
}

/** As many whole code points of `text` as fit into `bytes` of UTF-8. */
function cutToBytes(text: string, bytes: number): string {
  let result = '';
  let used = 0;
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > bytes) return result;
    result += character;
  }
  return result;
}
