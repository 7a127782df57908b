import { compareTimes } from './hybrid-time.js';
import type { ItemContent, ItemState } from './item.js';

/** A directory stands over what could not hold its items, and everything over a deletion. */
const RANKS: Record<ItemContent['kind'], number> = { directory: 2, file: 1, symlink: 1, deletion: 0 };

/**
 * The order of concurrent states of an item, the one that stands first: by kind, then the later one, then the smaller
 * replica id. Total, and the same everywhere. 0 only for states that are equal in every respect.
 */
export function compareStates(a: ItemState, b: ItemState): number {
  return (
    RANKS[b.content.kind] - RANKS[a.content.kind] ||
    compareTimes(b.at, a.at) ||
    compareTexts(a.change.replicaId, b.change.replicaId) ||
    b.change.counter - a.change.counter ||
    // Nobody who keeps the rules gives two states one number; whoever does is in order all the same.
    compareTexts(a.author, b.author) ||
    compareContents(a.content, b.content)
  );
}

function compareContents(a: ItemContent, b: ItemContent): number {
  if (a.kind === 'file' && b.kind === 'file') {
    return (
      Buffer.compare(a.blocks.hashes, b.blocks.hashes) ||
      b.modifiedAtMs - a.modifiedAtMs ||
      Number(b.executable) - Number(a.executable) ||
      a.sizeBytes - b.sizeBytes ||
      compareLists(a.blocks.sizes, b.blocks.sizes)
    );
  }
  if (a.kind === 'symlink' && b.kind === 'symlink') return compareTexts(a.target, b.target);
  return compareTexts(a.kind, b.kind);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const differing = a.findIndex((value, index) => value !== b[index]);
  return differing < 0 ? a.length - b.length : (a[differing] ?? 0) - (b[differing] ?? 0);
}
