import { isCopyPath } from '../../../common/feed/conflict-name.js';
import type { Item, ItemPath } from '../../../common/feed/item.js';
import type { StateChanges, TreeStore } from '../../../client/state/tree-store.js';
import type { SyncMode } from '../../../client/progress.js';
import type { PlantedFault } from './fault.js';

type Provisional = ReadonlyMap<ItemPath, Item | undefined>;

/** A store that notes less of what is for the folder to tell metadata. */
function noting(store: TreeStore, kept: (provisional: Provisional, mode: SyncMode) => Provisional): TreeStore {
  let mode: SyncMode = 'online';
  const write = ({ provisional, ...changes }: StateChanges): Promise<void> =>
    store.write(provisional === undefined ? changes : { ...changes, provisional: kept(provisional, mode) });
  const noteMode = (next: SyncMode): Promise<void> => {
    mode = next;
    return store.noteMode(next);
  };
  return replacing(store, { write, noteMode });
}

function replacing(store: TreeStore, parts: Partial<TreeStore>): TreeStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(name in parts ? parts : target, name);
      return typeof value === 'function' && !(name in parts) ? (value.bind(target) as unknown) : value;
    },
  });
}

const peersWordCounts: PlantedFault = {
  name: 'told-to-peers-is-told',
  what: 'what peers alone could hear of is not told to metadata later',
  peers: true,
  faults: {
    client: { trees: (store) => noting(store, (all, mode) => (mode === 'peers' ? new Map() : all)) },
  },
};

/** All but the conflicted copies. */
function withoutCopies(all: Provisional): Provisional {
  return new Map([...all].filter(([path, item]) => item === undefined || !isCopyPath(path, item.author)));
}

const copiesForgotten: PlantedFault = {
  name: 'copies-are-for-others-to-tell',
  what: 'an endpoint that settles a conflict among peers, or hears of it from one, does not tell metadata of the copy',
  peers: true,
  faults: { client: { trees: (store) => noting(store, withoutCopies) } },
};

const heardBeforeDurable: PlantedFault = {
  name: 'heard-before-it-is-durable',
  what: 'peers hear of a change before its number is on disk',
  peers: true,
  faults: { client: { trees: (store) => replacing(store, { durable: () => Promise.resolve() }) } },
};

export const peerFaults: readonly PlantedFault[] = [peersWordCounts, copiesForgotten, heardBeforeDurable];
