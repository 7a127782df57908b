import type { PushDecision } from '../../common/feed/decide-push.js';
import { hasSeen } from '../../common/feed/merge.js';
import type { NewItem } from '../../common/feed/push-items.js';

/**
 * What can come of an item: it stands as it was sent; it was merged with what was changed at the same time; it was known
 * already, or replaced by who had seen it; it was not taken.
 */
export const mergeOutcomes = ['taken', 'merged', 'known', 'refused'] as const;
export type MergeOutcome = (typeof mergeOutcomes)[number];

/** What came of the items of a commit, in their order; of none where blocks are missing, since nothing was tried. */
export function mergeOutcomesOf(
  items: readonly Pick<NewItem, 'item'>[],
  { missing, merged, writes }: PushDecision,
): readonly MergeOutcome[] {
  if (missing.length > 0) return [];
  const written = new Set(writes.map(({ item }) => item.path));
  const met = new Map(merged.map((outcome) => [outcome.index, outcome.current]));
  return items.map(({ item }, index) => {
    const isNew = written.has(item.path);
    if (!met.has(index)) return isNew ? 'taken' : 'known';
    const current = met.get(index);
    if (current === undefined || !hasSeen(current.item, item)) return 'refused';
    return isNew ? 'merged' : 'known';
  });
}
