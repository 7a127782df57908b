import type { BlockStore } from '../../../server/block-store.js';
import type { SimulatedProcess } from '../process.js';
import type { PlantedFault } from './fault.js';

/** How long blocks lie in memory that were acknowledged already. */
const LATER_MS = 500;

function storingLater(store: BlockStore, process: SimulatedProcess): BlockStore {
  return {
    ...readsOf(store),
    put: async (namespaceId, blocks) => {
      const kept = blocks.map(({ hash, data }) => ({ hash: Buffer.from(hash), data: Buffer.from(data) }));
      process.after(LATER_MS, () => {
        store.put(namespaceId, kept).catch(() => undefined);
      });
      return { newBlocks: blocks.length, newBytes: 0 };
    },
  };
}

function readsOf(store: BlockStore): Omit<BlockStore, 'put'> {
  return {
    sizes: (namespaceId, hashes) => store.sizes(namespaceId, hashes),
    get: (namespaceId, hashes) => store.get(namespaceId, hashes),
    discard: (hash) => store.discard(hash),
    stats: () => store.stats(),
    close: () => store.close(),
  };
}

const receiptBeforeSync: PlantedFault = {
  name: 'receipt-before-sync',
  what: 'an agent signs receipts for blocks that are not on disk yet',
  faults: { agent: { blocks: storingLater } },
};

const putForgetsBlock: PlantedFault = {
  name: 'put-forgets-a-block',
  what: 'of blocks that come together the agent stores all but the last, and signs for all',
  faults: {
    agent: {
      blocks: (store) => ({
        ...readsOf(store),
        put: (namespaceId, blocks) => store.put(namespaceId, blocks.length > 1 ? blocks.slice(0, -1) : blocks),
      }),
    },
  },
};

export const agentFaults: readonly PlantedFault[] = [receiptBeforeSync, putForgetsBlock];
