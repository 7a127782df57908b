import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { systemClock } from '../../common/clock.js';
import { silentLogger } from '../../common/logging.js';
import { createBlockMetrics } from '../../server/block-metrics.js';
import type { BlockStore } from '../../server/block-store.js';
import { openLmdbBlockStore } from '../../server/lmdb-block-store.js';
import { MemoryBlockStore } from '../../server/memory-block-store.js';
import { openBlockStore } from '../../server/open-block-store.js';
import { describeBlockStore, type BlockStoreSubject } from './block-store.js';

describeBlockStore('MemoryBlockStore', () => ({
  open: async () => new MemoryBlockStore(),
  cleanUp: async () => undefined,
}));

describeBlockStore('the LMDB engine', () => onDisk((path) => openLmdbBlockStore({ path, clock: systemClock })));

describeBlockStore('the LMDB engine with all decorators', () =>
  onDisk((path) => {
    const registry = new Registry();
    const metrics = createBlockMetrics(registry);
    return openBlockStore({
      path,
      premises: 'here',
      clock: systemClock,
      logger: silentLogger(),
      registry,
      metrics,
      freeFloorBytes: 0,
    });
  }),
);

function onDisk(open: (path: string) => Promise<BlockStore>): BlockStoreSubject {
  let directory: string | undefined;
  return {
    async open() {
      directory = await mkdtemp(join(tmpdir(), 'drystone-blocks-'));
      return open(join(directory, 'blocks.v1'));
    },
    async cleanUp() {
      if (directory !== undefined) await rm(directory, { recursive: true });
    },
  };
}
