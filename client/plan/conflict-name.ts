import type { ItemPath } from '../../common/feed/item.js';
import { baseName, parentPath } from '../../common/feed/paths.js';
import type { DeviceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';

/** How much of a device's id a name shows. */
const DEVICE_LETTERS = 8;
const DATE_LETTERS = 'YYYY-MM-DD'.length;

/**
 * The path of a conflicted copy of what `device` has at `path`: `name (conflicted copy, DEVICE, DATE).ext`, numbered where
 * that is taken, with as much of the name as the length of one part allows. `dateMs` is milliseconds since 1970 UTC.
 */
export function conflictPath(
  path: ItemPath,
  device: DeviceId,
  dateMs: number,
  isTaken: (path: ItemPath) => boolean,
): ItemPath {
  const above = parentPath(path);
  const [stem, extension] = splitName(baseName(path));
  const date = new Date(dateMs).toISOString().slice(0, DATE_LETTERS);
  for (let number = 1; ; number++) {
    const nth = number === 1 ? '' : `, ${number}`;
    const ending = ` (conflicted copy, ${device.slice(0, DEVICE_LETTERS)}, ${date}${nth})${extension}`;
    const name = cutToBytes(stem, wireLimits.pathPartBytes - Buffer.byteLength(ending)) + ending;
    const candidate = (above === undefined ? name : `${above}/${name}`) as ItemPath;
    if (!isTaken(candidate)) return candidate;
  }
}

/** A name's stem and its extension with the dot; a leading dot begins no extension, and neither does a very long one. */
function splitName(name: string): [stem: string, extension: string] {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  return Buffer.byteLength(extension) > 32 ? [name, ''] : [name.slice(0, name.length - extension.length), extension];
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
