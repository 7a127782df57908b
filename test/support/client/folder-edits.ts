import fc from 'fast-check';
import type { ItemPath } from '../../../common/feed/item.js';
import { isAtOrBelow, parentPath } from '../../../common/feed/paths.js';
import type { Entry } from './plan-world.js';

export type SimulatedFolder = Map<ItemPath, Entry>;

const paths = fc
  .array(fc.constantFrom('a', 'b', 'c.txt'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/') as ItemPath);
const kinds = fc.constantFrom('file', 'file', 'file', 'directory', 'symlink' as const);

/** What people do in a folder. */
export const edits = fc.oneof(
  { weight: 4, arbitrary: fc.record({ edit: fc.constant('put' as const), path: paths, kind: kinds, atMs: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ edit: fc.constant('remove' as const), path: paths }) },
  { weight: 1, arbitrary: fc.record({ edit: fc.constant('rename' as const), path: paths, to: paths }) },
  { weight: 1, arbitrary: fc.record({ edit: fc.constant('touch' as const), path: paths, atMs: fc.nat(5) }) },
);
export type Edit = typeof edits extends fc.Arbitrary<infer T> ? T : never;

/** What became of the texts that people wrote, each of which is written once. */
export class WrittenTexts {
  readonly written = new Set<string>();
  /** Those that somebody, having them in the folder, overwrote or removed. */
  readonly replaced = new Set<string>();
  /**
   * How often each was given another name, or another time: what others do to the path at the same time can keep it as it
   * was before as well.
   */
  readonly restated = new Map<string, number>();

  /** Does what a person would; edits that make no sense in this folder are passed over. */
  apply(folder: SimulatedFolder, edit: Edit): void {
    const { path } = edit;
    const standing = folder.get(path);
    if (edit.edit === 'put') {
      this.#put(folder, path, edit.kind, edit.atMs);
    } else if (edit.edit === 'remove') {
      this.#remove(folder, path);
    } else if (edit.edit === 'touch') {
      if (standing?.kind !== 'file' || standing.modifiedAtMs === edit.atMs) return;
      folder.set(path, { ...standing, modifiedAtMs: edit.atMs });
      this.#restate(standing.text);
    } else if (standing !== undefined && !folder.has(edit.to) && !isAtOrBelow(edit.to, path)) {
      this.#rename(folder, path, edit.to);
    }
  }

  #put(folder: SimulatedFolder, path: ItemPath, kind: Entry['kind'], modifiedAtMs: number): void {
    const standing = folder.get(path);
    if (standing?.kind !== 'directory' || kind !== 'directory') this.#remove(folder, path);
    const above: ItemPath[] = [];
    for (let next = parentPath(path); next !== undefined; next = parentPath(next)) above.unshift(next);
    for (const directory of above) {
      if (folder.get(directory)?.kind !== 'directory') this.#remove(folder, directory);
      folder.set(directory, { kind: 'directory' });
    }
    const text = `text ${this.written.size}`;
    if (kind === 'directory') folder.set(path, { kind: 'directory' });
    else if (kind === 'symlink') folder.set(path, { kind: 'symlink', target: String(modifiedAtMs) });
    else {
      folder.set(path, { kind: 'file', text, modifiedAtMs, executable: modifiedAtMs === 3 });
      this.written.add(text);
    }
  }

  #remove(folder: SimulatedFolder, path: ItemPath): void {
    for (const [other, entry] of [...folder]) {
      if (!isAtOrBelow(other, path)) continue;
      folder.delete(other);
      if (entry.kind === 'file') this.replaced.add(entry.text);
    }
  }

  #rename(folder: SimulatedFolder, path: ItemPath, to: ItemPath): void {
    const above = parentPath(to);
    if (above !== undefined && folder.get(above)?.kind !== 'directory') return;
    for (const [from, entry] of [...folder]) {
      if (!isAtOrBelow(from, path)) continue;
      folder.delete(from);
      folder.set((to + from.slice(path.length)) as ItemPath, entry);
      if (entry.kind === 'file') this.#restate(entry.text);
    }
  }

  #restate(text: string): void {
    this.restated.set(text, (this.restated.get(text) ?? 0) + 1);
  }
}

/** How often each text is in a folder. */
export function textsOf(folder: SimulatedFolder): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of folder.values()) {
    if (entry.kind === 'file') counts.set(entry.text, (counts.get(entry.text) ?? 0) + 1);
  }
  return counts;
}

/** A folder in one form: equal where they hold the same. */
export function shownFolder(folder: SimulatedFolder): string[] {
  return [...folder].map(([path, entry]) => `${path} ${JSON.stringify(entry)}`).sort();
}
