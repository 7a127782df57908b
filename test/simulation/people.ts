import { hashBlockSync, hashHex } from '../../common/block-hash.js';
import type { ItemPath } from '../../common/feed/item.js';
import { isAtOrBelow, parentPath } from '../../common/feed/paths.js';
import type { Random } from '../../common/random.js';
import { numberBelow, pick } from '../support/seeded-random.js';
import { LARGE_BLOCK_BYTES } from './folder/folder-cutter.js';
import type { Entry, SimulatedFolder } from './folder/folder.js';

const NAMES = ['a', 'b', 'c.txt'];
const DEPTH = 3;

/** What became of a text that somebody wrote. Each is written once, or handed to several people at once. */
interface WrittenText {
  /** SHA-256 of the whole content, in hexadecimal. */
  readonly hash: string;
  /** Somebody who had it in the folder overwrote or removed it. */
  isReplaced: boolean;
  /** In how many places it may be in the end. */
  places: number;
}

/** What people do in their folders, and the book of all that they wrote. */
export class People {
  readonly texts = new Map<string, WrittenText>();
  /** What each folder's diary says now. */
  readonly #diaries = new Map<SimulatedFolder, WrittenText>();

  constructor(private readonly random: Random) {}

  /** Somebody does something in a folder, or, where it makes no sense there, nothing. Says what. */
  edit(folder: SimulatedFolder): string {
    const path = this.#path();
    const roll = this.random.fraction();
    if (roll < 0.45) return this.write(folder, path, this.newText(this.random.fraction() < 0.06));
    if (roll < 0.65) return this.#remove(folder, path);
    if (roll < 0.8) return this.#rename(folder, path, this.#path());
    if (roll < 0.88) return this.#touch(folder, path);
    if (roll < 0.95) return this.#makeDirectory(folder, path);
    return this.#link(folder, path);
  }

  /** The same text comes to several folders by another way, such as mail, and is saved under the same name. */
  handOut(folders: readonly SimulatedFolder[]): string {
    const isContested = this.random.fraction() < 0.5;
    const path = isContested ? this.#path() : (`handed out ${this.texts.size}` as ItemPath);
    const bytes = this.newText(this.random.fraction() < 0.3);
    const text = this.texts.get(textOf(bytes));
    // Where somebody else changes the path as well, each one's loses by itself, and is kept by itself.
    if (text !== undefined && isContested) text.places = folders.length;
    for (const folder of folders) this.write(folder, path, bytes);
    return `hand out ${path} with ${textOf(bytes)}`;
  }

  /** Somebody goes on with a file that nobody else touches: what it said before must not be left anywhere. */
  keepDiary(folder: SimulatedFolder, owner: string): string {
    const earlier = this.#diaries.get(folder);
    const bytes = this.newText(false);
    const said = this.write(folder, `diary of ${owner}` as ItemPath, bytes);
    const text = this.texts.get(textOf(bytes));
    if (earlier !== undefined) earlier.places--;
    if (text !== undefined) this.#diaries.set(folder, text);
    return said;
  }

  /** A content that nobody has written before: its first line says which. */
  newText(isLarge: boolean): Buffer {
    const text = `text ${this.texts.size}`;
    const filler = `${text}\n${'-'.repeat(numberBelow(60, this.random))}`;
    const blocks = isLarge ? 6 + numberBelow(5, this.random) : 0;
    const parts = Array.from({ length: blocks }, (_, index) =>
      // Some blocks are those of every other large file.
      Buffer.alloc(LARGE_BLOCK_BYTES, index % 3 === 2 ? `common ${index};` : `${text} ${index}\n`),
    );
    const bytes = isLarge ? Buffer.concat(parts) : Buffer.from(filler);
    this.texts.set(isLarge ? `${text} 0` : text, {
      hash: hashHex(hashBlockSync(bytes)),
      isReplaced: false,
      places: 1,
    });
    return bytes;
  }

  write(folder: SimulatedFolder, path: ItemPath, bytes: Buffer): string {
    this.#clear(folder, path);
    this.#makeParents(folder, path);
    const contents = { bytes, modifiedAtMs: this.#time(), executable: this.random.fraction() < 0.1 };
    folder.edit(path, folder.newFile(contents, true));
    return `write ${path} with ${textOf(bytes)}`;
  }

  #makeDirectory(folder: SimulatedFolder, path: ItemPath): string {
    if (folder.entries.get(path)?.kind !== 'directory') {
      this.#clear(folder, path);
      this.#makeParents(folder, path);
      folder.edit(path, { kind: 'directory' });
    }
    return `make directory ${path}`;
  }

  #link(folder: SimulatedFolder, path: ItemPath): string {
    this.#clear(folder, path);
    this.#makeParents(folder, path);
    folder.edit(path, { kind: 'symlink', target: `somewhere/${numberBelow(3, this.random)}` });
    return `link ${path}`;
  }

  #remove(folder: SimulatedFolder, path: ItemPath): string {
    this.#clear(folder, path);
    return `remove ${path}`;
  }

  #rename(folder: SimulatedFolder, path: ItemPath, to: ItemPath): string {
    const above = parentPath(to);
    const isPossible =
      folder.entries.has(path) &&
      !folder.entries.has(to) &&
      !isAtOrBelow(to, path) &&
      (above === undefined || folder.entries.get(above)?.kind === 'directory');
    if (!isPossible) return 'nothing';
    for (const [from, entry] of folder.entries) if (isAtOrBelow(from, path)) this.restate(entry);
    folder.rename(path, to);
    folder.sync();
    return `rename ${path} to ${to}`;
  }

  #touch(folder: SimulatedFolder, path: ItemPath): string {
    const file = folder.entries.get(path);
    if (file?.kind !== 'file') return 'nothing';
    this.restate(file);
    const executable = this.random.fraction() < 0.3 ? !file.executable : file.executable;
    folder.edit(path, folder.touched(file, { modifiedAtMs: this.#time(), executable }));
    return `touch ${path}`;
  }

  #clear(folder: SimulatedFolder, path: ItemPath): void {
    for (const [other, entry] of [...folder.entries].reverse()) {
      if (!isAtOrBelow(other, path)) continue;
      folder.edit(other, undefined);
      const text = entry.kind === 'file' ? this.texts.get(textOf(entry.bytes)) : undefined;
      if (text !== undefined) text.isReplaced = true;
    }
  }

  #makeParents(folder: SimulatedFolder, path: ItemPath): void {
    const above = parentPath(path);
    if (above === undefined || folder.entries.get(above)?.kind === 'directory') return;
    this.#clear(folder, above);
    this.#makeParents(folder, above);
    folder.edit(above, { kind: 'directory' });
  }

  /**
   * The text may be in one more place in the end: what others do at the same time can keep a file as it was before, too.
   */
  restate(entry: Entry): void {
    const text = entry.kind === 'file' ? this.texts.get(textOf(entry.bytes)) : undefined;
    if (text !== undefined) text.places++;
  }

  #path(): ItemPath {
    const depth = 1 + numberBelow(DEPTH, this.random);
    return Array.from({ length: depth }, () => pick(NAMES, this.random)).join('/') as ItemPath;
  }

  #time(): number {
    return 1_600_000_000_000 + numberBelow(1_000_000, this.random);
  }
}

/** Which text a content is: its first line. */
export function textOf(bytes: Buffer): string {
  const end = bytes.indexOf('\n');
  return bytes.toString('utf8', 0, end < 0 ? undefined : end);
}
