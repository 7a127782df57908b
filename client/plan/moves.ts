import type { FileContent, ItemPath } from '../../common/feed/item.js';
import { asBuffer } from '../../common/block-hash.js';
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

/**
 * The paths whose file is about to be replaced though a fetch of the same plan brings its bytes to a new path: nobody else may
 * have them, so it stays until that is done. A new path replaces nothing: no two wait for each other. The same where a file is
 * to go whose bytes are `awaited` at a new path for which it is too early.
 */
export function replacedTooEarly(
  operations: ReadonlyMap<ItemPath, Operation>,
  awaited: readonly FileContent[],
): ItemPath[] {
  const later = new Set(awaited.flatMap(({ blocks }) => (blocks.sizes.length > 0 ? [contentKey(blocks)] : [])));
  const wanted = new Set(later);
  for (const operation of operations.values()) {
    if (operation.kind !== 'fetch-file' || operation.replaces !== undefined) continue;
    const { blocks } = operation.item.content;
    if (blocks.sizes.length > 0) wanted.add(contentKey(blocks));
  }
  if (wanted.size === 0) return [];
  return [...operations.values()].flatMap((operation) => {
    const { kind, path } = operation;
    if (kind !== 'fetch-file' && kind !== 'make-symlink' && kind !== 'remove') return [];
    const { replaces } = operation;
    if (replaces?.kind !== 'file' || replaces.blocks === undefined) return [];
    // What is only removed has become a move where a fetch of this plan brings its bytes.
    return (kind === 'remove' ? later : wanted).has(contentKey(replaces.blocks)) ? [path] : [];
  });
}

function contentKey(blocks: FileContent['blocks']): string {
  return asBuffer(blocks.hashes).toString('latin1');
}
