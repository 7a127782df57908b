import type { ItemPath } from '../../common/feed/item.js';
import { parentPath } from '../../common/feed/paths.js';
import type { Observation, ScanResult } from '../observe/observation.js';
import { sameStamp } from '../observe/stable-file.js';
import type { LocalEntry } from '../state/local-entry.js';
import type { Tree } from '../state/tree-store.js';

/**
 * What a scan changes in the local tree. A file that has changed, or is new, is without blocks until it is read. What the
 * scan could not see, or left out by a rule, stays as it was known.
 *
 * Against an earlier scan whose result is in the tree already, only what differs from that is looked at, and `touched`:
 * what this client itself has changed since, which the scan must have looked at.
 */
export function scanChanges(
  scan: ScanResult,
  earlier: ScanResult | undefined,
  touched: Iterable<ItemPath>,
  local: Tree<LocalEntry>,
): Map<ItemPath, LocalEntry | undefined> {
  const changes = new Map<ItemPath, LocalEntry | undefined>();
  for (const [path, observation] of scan.observations) {
    if (earlier?.observations.get(path) === observation) continue;
    if (!isAs(local.get(path), observation)) changes.set(path, entryOf(observation));
  }
  const known =
    earlier === undefined
      ? local.pathsBelow('')
      : [...earlier.observations.keys(), ...touched, ...keptUnseen(earlier, local)];
  for (const path of known) {
    if (scan.observations.has(path)) continue;
    const entry = local.get(path);
    if (entry !== undefined && !isLeftAlone(scan, path, entry.kind)) changes.set(path, undefined);
  }
  return changes;
}

/** What the earlier scan could not see, and the tree therefore still has. */
function keptUnseen({ unseen }: ScanResult, local: Tree<LocalEntry>): ItemPath[] {
  return [...unseen].flatMap((path) => [path, ...local.pathsBelow(path)]);
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
