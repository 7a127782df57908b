import type { ItemPath } from '../../common/feed/item.js';
import { parentPath } from '../../common/feed/paths.js';
import type { Observation, ScanResult } from '../observe/observation.js';
import { sameStamp } from '../observe/stable-file.js';
import { everyPath } from '../plan/plan.js';
import type { LocalEntry } from '../state/local-entry.js';
import type { Tree, Trees } from '../state/tree-store.js';

/**
 * What a scan changes in the local tree. A file that has changed, or is new, is without blocks until it is read. What the
 * scan could not see, or left out by a rule, stays as it was known.
 *
 * Against an earlier scan whose result is in the tree already, only what differs from that is looked at, and `doubtful`:
 * what this client itself has changed since, which the scan must have looked at, and what the earlier scan said nothing of.
 */
export function scanChanges(
  scan: ScanResult,
  earlier: ScanResult | undefined,
  doubtful: Iterable<ItemPath>,
  local: Tree<LocalEntry>,
): Map<ItemPath, LocalEntry | undefined> {
  const changes = new Map<ItemPath, LocalEntry | undefined>();
  for (const [path, observation] of scan.observations) {
    if (earlier?.observations.get(path) === observation) continue;
    if (!isAs(local.get(path), observation)) changes.set(path, entryOf(observation));
  }
  for (const path of [...(earlier?.observations.keys() ?? []), ...doubtful]) {
    if (scan.observations.has(path)) continue;
    const entry = local.get(path);
    if (entry !== undefined && !isLeftAlone(scan, path, entry.kind)) changes.set(path, undefined);
  }
  return changes;
}

/**
 * The paths of which the earlier scan said nothing and this one may: what could not be seen and can be, and everything where
 * the rules have changed. Whatever was decided about them then was decided blindly; without an earlier scan that is every path.
 */
export function opened(scan: ScanResult, earlier: ScanResult | undefined, trees: Trees): Set<ItemPath> {
  if (earlier?.ignoreRules !== scan.ignoreRules) return everyPath(trees);
  const { remote, local, synced } = trees;
  const paths = new Set<ItemPath>();
  for (const path of earlier.unseen) {
    if (scan.unseen.has(path)) continue;
    paths.add(path);
    for (const tree of [remote, local, synced]) for (const below of tree.pathsBelow(path)) paths.add(below);
  }
  return paths;
}

/** Whether a path is none of the sync's business: ignored, or at or below what the scan could not see. */
export function isLeftAlone(scan: ScanResult, path: ItemPath, kind: Observation['kind']): boolean {
  if (scan.unseen.size > 0) {
    for (let above: ItemPath | undefined = path; above !== undefined; above = parentPath(above)) {
      if (scan.unseen.has(above)) return true;
    }
  }
  return scan.ignoreRules.ignores(path, kind);
}

function entryOf(observation: Observation): LocalEntry {
  return observation.kind === 'file' ? { ...observation, blocks: undefined } : observation;
}

function isAs(known: LocalEntry | undefined, observation: Observation): boolean {
  switch (observation.kind) {
    case 'file':
      return known?.kind === 'file' && sameStamp(known.stamp, observation.stamp);
    case 'symlink':
      return known?.kind === 'symlink' && known.target === observation.target;
    case 'directory':
      return known?.kind === 'directory';
  }
}
