import type { Operation } from './operation.js';

const RANKS: Record<Operation['kind'], number> = {
  adopt: 0,
  'keep-conflict': 1,
  'make-directory': 2,
  move: 3,
  'set-attributes': 4,
  remove: 5,
  'make-symlink': 6,
  'fetch-file': 7,
  'read-file': 8,
  settle: 9,
  'commit-item': 10,
};

/** Deletions come last: a reader who has seen a directory's deletion must have seen those of everything in it. */
const DELETION_RANK = 11;

/**
 * Operations in an order in which they can be carried out: room is made before it is needed, parents are made before and
 * removed after their children, and what enters the feed does so in the same order.
 */
export function inOrder(operations: Iterable<Operation>): Operation[] {
  return [...operations].sort((a, b) => {
    const byRank = rankOf(a) - rankOf(b);
    if (byRank !== 0) return byRank;
    // A parent's path sorts before those of its children.
    const byPath = a.path < b.path ? -1 : 1;
    return isRemoval(a) ? -byPath : byPath;
  });
}

function rankOf(operation: Operation): number {
  return isDeletion(operation) ? DELETION_RANK : RANKS[operation.kind];
}

function isRemoval(operation: Operation): boolean {
  return operation.kind === 'remove' || isDeletion(operation);
}

function isDeletion(operation: Operation): boolean {
  return operation.kind === 'commit-item' && operation.change.from === 'deletion';
}
