import { encodeWireItems, endorse } from '../../../common/feed/endorsement.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import type { NamespaceId } from '../../../common/ids.js';
import type { Item, PushRequest } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { changedBy } from '../feed/wire-change.js';

let fresh = 0;

/** What a device pushes to an agent: its items, or a new directory, endorsed; of one who is no device nothing. */
export function endorsedPush(
  namespaceId: NamespaceId,
  held: HeldIdentity | undefined,
  items: readonly Item[] = directoriesOf(held, `fresh-${++fresh}`),
): PushRequest {
  if (held === undefined) return { namespaceId, items: [...items], receipts: [], endorsement: undefined };
  const claim = { namespaceId, pushedAtMs: Date.now(), items: encodeWireItems(items) };
  return { namespaceId, items: [...items], receipts: [], endorsement: endorse(claim, held.privateKey) };
}

/** Directories that a device has made. */
export function directoriesOf(held: HeldIdentity | undefined, ...paths: readonly string[]): Item[] {
  if (held?.identity.kind !== 'device') return [];
  const { deviceId } = held.identity;
  return paths.map((path) => ({ ...changedBy(deviceId), path, content: { $case: 'directory', value: {} } }));
}
