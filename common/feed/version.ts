import type { ReplicaId } from '../ids.js';
import type { Change, Version } from './item.js';

/** How one version stands to another. */
export type VersionOrder = 'equal' | 'dominates' | 'dominated' | 'concurrent';

/** The version of an item that nobody has changed yet. */
export const NO_VERSION: Version = [];

/** How `a` stands to `b`: it dominates where no counter is smaller and one is larger. */
export function compareVersions(a: Version, b: Version): VersionOrder {
  let larger = false;
  let smaller = false;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (right === undefined || (left !== undefined && left.replicaId < right.replicaId)) {
      larger = true;
      i++;
    } else if (left === undefined || right.replicaId < left.replicaId) {
      smaller = true;
      j++;
    } else {
      if (left.counter > right.counter) larger = true;
      if (left.counter < right.counter) smaller = true;
      i++;
      j++;
    }
  }
  if (larger && smaller) return 'concurrent';
  if (larger) return 'dominates';
  return smaller ? 'dominated' : 'equal';
}

/** The smallest version that neither `a` nor `b` dominates: the larger counter of each replica. */
export function joinVersions(a: Version, b: Version): Version {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const counters = new Map<ReplicaId, number>();
  for (const { replicaId, counter } of [...a, ...b]) {
    counters.set(replicaId, Math.max(counter, counters.get(replicaId) ?? 0));
  }
  return [...counters]
    .map(([replicaId, counter]) => ({ replicaId, counter }))
    .sort((one, other) => (one.replicaId < other.replicaId ? -1 : 1));
}

/** The number of the replica's last change that `version` knows; 0 for none. */
export function counterOf(version: Version, replicaId: ReplicaId): number {
  return version.find((known) => known.replicaId === replicaId)?.counter ?? 0;
}

/** Whether `version` knows all that `other` knows. */
export function coversAll(version: Version, other: Version): boolean {
  const order = compareVersions(version, other);
  return order === 'equal' || order === 'dominates';
}

/** Whether `version` knows a change. */
export function covers(version: Version, { replicaId, counter }: Change): boolean {
  return counterOf(version, replicaId) >= counter;
}
