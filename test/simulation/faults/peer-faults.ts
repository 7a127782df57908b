import { statesOf, type Item, type ItemPath } from '../../../common/feed/item.js';
import { itemOf } from '../../../common/feed/merge.js';
import type { StateChanges, TreeStore } from '../../../client/state/tree-store.js';
import type { SyncMode } from '../../../client/progress.js';
import type { PlantedFault } from './fault.js';

type Heard = ReadonlyMap<ItemPath, Item>;
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

/** A store that takes what others tell of a conflict for its end. */
function hearingOne(store: TreeStore): TreeStore {
  const standing = (heard: Heard): Heard =>
    new Map([...heard].map(([path, item]) => [path, itemOf(path, item.version, statesOf(item).slice(0, 1))]));
  const write = ({ heard, ...changes }: StateChanges): Promise<void> =>
    store.write(heard === undefined ? changes : { ...changes, heard: standing(heard) });
  return replacing(store, { write });
}

const conflictIsOver: PlantedFault = {
  name: 'what-stands-is-all-that-is-heard',
  what: 'of a conflict that peers tell of an endpoint takes what stands, as if somebody had settled it',
  peers: true,
  faults: { client: { trees: hearingOne } },
};

const heardBeforeDurable: PlantedFault = {
  name: 'heard-before-it-is-durable',
  what: 'peers hear of a change before it is on disk at its author',
  peers: true,
  faults: { client: { trees: (store) => replacing(store, { durable: () => Promise.resolve() }) } },
};

export const peerFaults: readonly PlantedFault[] = [peersWordCounts, conflictIsOver, heardBeforeDurable];
