import type { Item } from '../../../proto/gen/drystone/feed/v1/feed.js';

/** What an item on the wire says of the first change that a device has made of it. */
export function changedBy(deviceId: string): Omit<Item, 'path' | 'content'> {
  return {
    version: { entries: [{ replicaId: 'e'.repeat(32), counter: 1n }] },
    change: 0,
    changedAt: { wallMs: 1_700_000_000_000n, logical: 0 },
    authorDeviceId: deviceId,
    rivals: [],
  };
}
