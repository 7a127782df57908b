import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BlockStoreStats } from './block-store.js';

/** The three RPCs, as labels. */
export type BlockMethod = 'put' | 'get' | 'has';

/** What a block server counts. */
export interface BlockMetrics {
  readonly putBlocks: Counter;
  readonly putBytes: Counter;
  readonly dedupBlocks: Counter;
  readonly dedupBytes: Counter;
  readonly getBlocks: Counter;
  readonly getBytes: Counter;
  readonly getMissing: Counter;
  readonly hasHashes: Counter;
  readonly hasMissing: Counter;
  readonly receipts: Counter;
  readonly verificationFailures: Counter<'direction'>;
  readonly refusals: Counter<'cause'>;
  readonly tokenVerifications: Counter<'result'>;
  readonly putBlockSizeBytes: Histogram;
  readonly getBlockSizeBytes: Histogram;
  readonly putSeconds: Histogram;
  readonly getSeconds: Histogram;
  readonly syncSeconds: Histogram;
}

/** A store and its disk, as scrapes see them. */
export interface StoreGaugeSources {
  readonly stats: () => Promise<BlockStoreStats>;
  readonly freeBytes: () => Promise<number>;
  readonly freeFloorBytes: number;
}

/** What is under way on the block protocol's streams, as scrapes see it. */
export interface StreamGaugeSource {
  streams(method: BlockMethod): number;
  bytesInFlight(method: 'put' | 'get'): number;
}

const SIZE_BUCKETS_BYTES = [1024, 4096, 16_384, 65_536, 131_072, 262_144, 524_288, 1_048_576, 2_097_152, 4_194_304];
const REFUSAL_CAUSES = ['disk_full', 'streams', 'streams_of_account', 'streams_of_device'];
const VERIFICATION_RESULTS = ['ok', 'missing', 'invalid', 'expired', 'foreign'];
const LATENCY_BUCKETS_SECONDS = [0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1, 5];

/** Registers a block server's counters and histograms; each has its series, at zero, from the start. */
export function createBlockMetrics(registry: Registry): BlockMetrics {
  const registers = [registry];
  const counter = (name: string, help: string): Counter =>
    new Counter({ name: `drystone_agent_${name}_total`, help, registers });
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name: `drystone_agent_${name}`, help, buckets, registers });
  const verificationFailures = new Counter({
    name: 'drystone_agent_verification_failures_total',
    help: 'Blocks that did not match their hash: received (put), or read from disk (get).',
    labelNames: ['direction'] as const,
    registers,
  });
  const refusals = new Counter({
    name: 'drystone_agent_refusals_total',
    help: 'Streams that were refused for now: the disk is full, or too many streams are open.',
    labelNames: ['cause'] as const,
    registers,
  });
  const tokenVerifications = new Counter({
    name: 'drystone_agent_token_verifications_total',
    help: 'Streams opened, by what was found of the access token that came with them.',
    labelNames: ['result'] as const,
    registers,
  });
  for (const direction of ['put', 'get']) verificationFailures.inc({ direction }, 0);
  for (const cause of REFUSAL_CAUSES) refusals.inc({ cause }, 0);
  for (const result of VERIFICATION_RESULTS) tokenVerifications.inc({ result }, 0);
  return {
    putBlocks: counter('put_blocks', 'Blocks put, be they new or not.'),
    putBytes: counter('put_bytes', 'Bytes of the blocks put.'),
    dedupBlocks: counter('dedup_blocks', 'Blocks put that were already there.'),
    dedupBytes: counter('dedup_bytes', 'Bytes of the blocks put that were already there.'),
    getBlocks: counter('get_blocks', 'Blocks read to be sent.'),
    getBytes: counter('get_bytes', 'Bytes of the blocks read to be sent.'),
    getMissing: counter('get_missing', 'Blocks asked for that are not here.'),
    hasHashes: counter('has_hashes', 'Hashes asked about.'),
    hasMissing: counter('has_missing', 'Hashes asked about that are not here.'),
    receipts: counter('receipts', 'Receipts signed.'),
    verificationFailures,
    refusals,
    tokenVerifications,
    putBlockSizeBytes: histogram('put_block_size_bytes', 'Sizes of the blocks put.', SIZE_BUCKETS_BYTES),
    getBlockSizeBytes: histogram('get_block_size_bytes', 'Sizes of the blocks read.', SIZE_BUCKETS_BYTES),
    putSeconds: histogram(
      'put_seconds',
      'From the hand-over of blocks to their being on disk.',
      LATENCY_BUCKETS_SECONDS,
    ),
    getSeconds: histogram('get_seconds', 'Reading blocks from disk.', LATENCY_BUCKETS_SECONDS),
    syncSeconds: histogram('sync_seconds', 'Writing a group of blocks and syncing it.', LATENCY_BUCKETS_SECONDS),
  };
}

/** Registers the gauges of a store and its disk, which are read at every scrape. */
export function registerStoreGauges(registry: Registry, { stats, freeBytes, freeFloorBytes }: StoreGaugeSources): void {
  const gauge = (name: string, help: string, read: () => Promise<number>): Gauge =>
    new Gauge({
      name: `drystone_agent_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.set(await read());
      },
    });
  gauge('blocks', 'Blocks stored, each counted once.', async () => (await stats()).blocks);
  gauge('block_bytes', 'Bytes of the blocks stored, each counted once.', async () => (await stats()).bytes);
  gauge('store_file_bytes', "Size of the block store's file.", async () => (await stats()).fileBytes);
  gauge('store_map_bytes', 'Address space set aside for the block store.', async () => (await stats()).mapBytes);
  gauge('free_bytes', 'Free space of the disk that holds the block store.', freeBytes);
  gauge('free_floor_bytes', 'Free space below which blocks are refused.', async () => freeFloorBytes);
}

/** Registers the gauges of the block protocol's streams, which are read at every scrape. */
export function registerStreamGauges(registry: Registry, source: StreamGaugeSource): void {
  new Gauge({
    name: 'drystone_agent_streams',
    help: 'Streams of the block protocol that are open.',
    labelNames: ['method'] as const,
    registers: [registry],
    collect() {
      for (const method of ['put', 'get', 'has'] as const) this.set({ method }, source.streams(method));
    },
  });
  new Gauge({
    name: 'drystone_agent_in_flight_bytes',
    help: 'Bytes of blocks received and not yet on disk (put), or read and not yet sent (get).',
    labelNames: ['method'] as const,
    registers: [registry],
    collect() {
      for (const method of ['put', 'get'] as const) this.set({ method }, source.bytesInFlight(method));
    },
  });
}
