import type { Item, ItemContent, ItemPath, ItemState } from '../../../common/feed/item.js';
import { itemOf } from '../../../common/feed/merge.js';
import { compareStates } from '../../../common/feed/state-order.js';
import { joinVersions, NO_VERSION } from '../../../common/feed/version.js';
import type { DeviceId, ReplicaId } from '../../../common/ids.js';
import { textFile } from './history.js';

export const DIRECTORY = { kind: 'directory' } as const;
export const DELETION = { kind: 'deletion' } as const;

/** What the replica of one letter made, as its change of this number, at this moment: a text is a file's. */
export function stateBy(replica: string, counter: number, wallMs: number, content: string | ItemContent): ItemState {
  return {
    change: { replicaId: replica.repeat(32) as ReplicaId, counter },
    at: { wallMs, logical: 0 },
    author: replica.repeat(32) as DeviceId,
    content: typeof content === 'string' ? textFile(content) : content,
  };
}

/** The item at `path` that these states make, and that knows of `seen` beside them: "a3" is the third change of a. */
export function itemFrom(path: string, states: readonly ItemState[], ...seen: readonly string[]): Item {
  const known = [...states.map(({ change }) => change), ...seen.map(changeNamed)];
  const version = known.reduce((joined, change) => joinVersions(joined, [change]), NO_VERSION);
  return itemOf(path as ItemPath, version, [...states].sort(compareStates));
}

function changeNamed(name: string): { replicaId: ReplicaId; counter: number } {
  return { replicaId: name.slice(0, 1).repeat(32) as ReplicaId, counter: Number(name.slice(1)) };
}
