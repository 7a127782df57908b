import type { Registry } from 'prom-client';
import type { Clock } from '../common/clock.js';
import type { Logger } from '../common/logging.js';
import { registerStoreGauges, type BlockMetrics } from './block-metrics.js';
import type { BlockStore } from './block-store.js';
import { CapacityLimitedBlockStore } from './capacity-limited-block-store.js';
import { freeSpaceAt } from './free-space.js';
import { openLmdbBlockStore } from './lmdb-block-store.js';
import { MeteredBlockStore } from './metered-block-store.js';
import { VerifyingBlockStore } from './verifying-block-store.js';

export interface BlockStoreOptions {
  /** A directory for the store alone. */
  readonly path: string;
  readonly freeFloorBytes: number;
  /** Where the server stands, for people. */
  readonly premises: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly metrics: BlockMetrics;
}

/** The block store of a server on a disk: refuses before the disk is full, gives out nothing damaged, and is metered. */
export async function openBlockStore(options: BlockStoreOptions): Promise<BlockStore> {
  const { path, premises, clock, logger, metrics, freeFloorBytes } = options;
  const engine = await openLmdbBlockStore({
    path,
    clock,
    onSync: (durationMs) => metrics.syncSeconds.observe(durationMs / 1000),
  });
  const space = freeSpaceAt(path);
  const limited = new CapacityLimitedBlockStore(engine, { space, floorBytes: freeFloorBytes, premises, clock, logger });
  const verifying = new VerifyingBlockStore(limited, (hash) => {
    metrics.verificationFailures.inc({ direction: 'get' });
    logger.error({ hash }, 'a stored block no longer matches its hash; it counts as missing until it is put again');
  });
  registerStoreGauges(options.registry, {
    stats: () => engine.stats(),
    freeBytes: () => space.freeBytes(),
    freeFloorBytes,
  });
  return new MeteredBlockStore(verifying, metrics, clock);
}
