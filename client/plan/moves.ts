import type { FileContent, ItemPath } from '../../common/feed/item.js';
import { asBuffer } from '../../common/block-hash.js';
import { parentPath } from '../../common/feed/paths.js';
import type { Operation } from './operation.js';

type ByPath = Map<ItemPath, Operation>;

/**
 * Turns pairs of a file to fetch and a file to remove with the same blocks into moves: what was renamed elsewhere is
 * renamed here. Each removed file serves one fetch, the first in the order of `operations`.
 */
export function pairMoves(operations: ByPath): void {
  const leaving = new Map<string, Operation[]>();
  for (const operation of operations.values()) {
    if (operation.kind !== 'remove' || operation.replaces.kind !== 'file') continue;
    const { blocks } = operation.replaces;
    if (blocks === undefined || blocks.sizes.length === 0) continue;
    const key = contentKey(blocks);
    leaving.set(key, [...(leaving.get(key) ?? []), operation]);
  }
  if (leaving.size === 0) return;
  for (const operation of [...operations.values()]) {
    if (operation.kind !== 'fetch-file' || operation.replaces !== undefined) continue;
    const source = leaving.get(contentKey(operation.item.content.blocks))?.shift();
    if (source?.kind !== 'remove' || source.replaces.kind !== 'file') continue;
    const { path, item } = operation;
    operations.delete(source.path);
    operations.set(path, { kind: 'move', from: source.path, path, source: source.replaces, item });
  }
}

/** A file that is to come to a new path once something above that is out of the way. */
export interface AwaitedFile {
  readonly path: ItemPath;
  readonly content: FileContent;
}

/**
 * The paths whose file is about to be replaced though a fetch of the same plan brings its bytes to a new path: nobody else may
 * have them, so it stays until that is done. A new path replaces nothing: no two wait for each other. The same where a file is
 * to go whose bytes are `awaited` at a new path for which it is too early, unless that waits for the file to go.
 */
export function replacedTooEarly(
  operations: ReadonlyMap<ItemPath, Operation>,
  awaited: readonly AwaitedFile[],
): ItemPath[] {
  const wanted = new Set<string>();
  for (const operation of operations.values()) {
    if (operation.kind !== 'fetch-file' || operation.replaces !== undefined) continue;
    const { blocks } = operation.item.content;
    if (blocks.sizes.length > 0) wanted.add(contentKey(blocks));
  }
  const later = new Map<string, ItemPath[]>();
  for (const { path, content } of awaited) {
    if (content.blocks.sizes.length === 0) continue;
    const key = contentKey(content.blocks);
    later.set(key, [...(later.get(key) ?? []), path]);
  }
  if (wanted.size === 0 && later.size === 0) return [];
  const early = new Map<ItemPath, readonly ItemPath[]>();
  for (const operation of operations.values()) {
    const { kind, path } = operation;
    if (kind !== 'fetch-file' && kind !== 'make-symlink' && kind !== 'remove') continue;
    const { replaces } = operation;
    if (replaces?.kind !== 'file' || replaces.blocks === undefined) continue;
    const key = contentKey(replaces.blocks);
    const places = later.get(key);
    // What is only removed has become a move where a fetch of this plan brings its bytes.
    if (kind !== 'remove' && wanted.has(key)) early.set(path, []);
    else if (places !== undefined) early.set(path, places);
  }
  return [...early.keys()].filter((path) => !waitsForItself(path, early));
}

/** Whether what a file waits for is below it, or below one that waits for it: then somebody has to be asked for its bytes. */
function waitsForItself(path: ItemPath, early: ReadonlyMap<ItemPath, readonly ItemPath[]>): boolean {
  const reached = new Set<ItemPath>();
  const next = [path];
  for (let one = next.pop(); one !== undefined; one = next.pop()) {
    for (const place of early.get(one) ?? []) {
      for (let above = parentPath(place); above !== undefined; above = parentPath(above)) {
        if (!early.has(above) || reached.has(above)) continue;
        reached.add(above);
        next.push(above);
      }
    }
  }
  return reached.has(path);
}

function contentKey(blocks: FileContent['blocks']): string {
  return asBuffer(blocks.hashes).toString('latin1');
}
