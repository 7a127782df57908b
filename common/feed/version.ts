import type { DeviceId } from '../ids.js';
import type { Version, VersionEntry } from './item.js';

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
    if (right === undefined || (left !== undefined && left.deviceId < right.deviceId)) {
      larger = true;
      i++;
    } else if (left === undefined || right.deviceId < left.deviceId) {
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

/** The smallest version that neither `a` nor `b` dominates: the larger counter of each device. */
export function joinVersions(a: Version, b: Version): Version {
  const counters = new Map<DeviceId, number>();
  for (const { deviceId, counter } of [...a, ...b]) {
    counters.set(deviceId, Math.max(counter, counters.get(deviceId) ?? 0));
  }
  return sorted(counters);
}

/** The version of a change that `device` makes to a state of version `base`. */
export function advanceVersion(base: Version, device: DeviceId): Version {
  const counters = new Map(base.map((entry) => [entry.deviceId, entry.counter]));
  counters.set(device, (counters.get(device) ?? 0) + 1);
  return sorted(counters);
}

function sorted(counters: ReadonlyMap<DeviceId, number>): VersionEntry[] {
  return [...counters]
    .map(([deviceId, counter]) => ({ deviceId, counter }))
    .sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
}
