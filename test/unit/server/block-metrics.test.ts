import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../common/clock.js';
import { silentLogger } from '../../../common/logging.js';
import { createBlockMetrics } from '../../../server/block-metrics.js';
import type { BlockStore } from '../../../server/block-store.js';
import { openBlockStore } from '../../../server/open-block-store.js';
import { metricOf, startBlockServer, type BlockServerPair } from '../../support/blocks/block-server.js';
import { hashesOf, NAMESPACE, OTHER_NAMESPACE, sampleBlocks } from '../../support/blocks/sample-blocks.js';

const FLOOR_BYTES = 12_345;

describe('the metrics of a block server', () => {
  let directory = '';
  let registry: Registry;
  let store: BlockStore;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'drystone-metrics-'));
    registry = new Registry();
    store = await openBlockStore({
      premises: 'here',
      path: join(directory, 'blocks'),
      freeFloorBytes: FLOOR_BYTES,
      clock: systemClock,
      logger: silentLogger(),
      registry,
      metrics: createBlockMetrics(registry),
    });
  });

  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  const value = (name: string): Promise<number> => metricOf(registry, `drystone_agent_${name}`);

  it('say what is stored and what room is left', async () => {
    await store.put(NAMESPACE, sampleBlocks('stored', 100, 2000));
    expect(await value('blocks')).toBe(2);
    expect(await value('block_bytes')).toBe(2100);
    expect(await value('store_file_bytes')).toBeGreaterThan(4096);
    expect(await value('store_map_bytes')).toBeGreaterThan(await value('store_file_bytes'));
    expect(await value('free_bytes')).toBeGreaterThan(0);
    expect(await value('free_floor_bytes')).toBe(FLOOR_BYTES);
  });

  it('count blocks put, those that were there already, and blocks read', async () => {
    const blocks = sampleBlocks('counted', 100, 2000);
    await store.put(NAMESPACE, blocks);
    await store.put(OTHER_NAMESPACE, blocks.slice(1));
    await store.get(NAMESPACE, hashesOf(blocks));
    await store.get(NAMESPACE, Buffer.alloc(32));
    expect(await value('put_blocks_total')).toBe(3);
    expect(await value('put_bytes_total')).toBe(4100);
    expect(await value('dedup_blocks_total')).toBe(1);
    expect(await value('dedup_bytes_total')).toBe(2000);
    expect(await value('get_blocks_total')).toBe(2);
    expect(await value('get_bytes_total')).toBe(2100);
    expect(await value('put_block_size_bytes_count')).toBe(3);
    expect(await value('get_block_size_bytes_sum')).toBe(2100);
    expect(await value('put_seconds_count')).toBe(2);
    expect(await value('get_seconds_count')).toBe(2);
    expect(await value('sync_seconds_count')).toBe(2);
  });
});

describe('the series of a block server', () => {
  let server: BlockServerPair;

  beforeAll(async () => {
    server = await startBlockServer();
  });

  afterAll(() => server.close());

  it.each([
    ...['put', 'get'].map((direction) => `drystone_agent_verification_failures_total{direction="${direction}"}`),
    ...['disk_full', 'streams', 'streams_of_account', 'streams_of_device'].map(
      (cause) => `drystone_agent_refusals_total{cause="${cause}"}`,
    ),
    ...['ok', 'missing', 'invalid', 'expired', 'foreign'].map(
      (result) => `drystone_agent_token_verifications_total{result="${result}"}`,
    ),
    ...['put', 'get', 'has'].map((method) => `drystone_agent_streams{method="${method}"}`),
    ...['put', 'get'].map((method) => `drystone_agent_in_flight_bytes{method="${method}"}`),
    ...['put_blocks', 'put_bytes', 'dedup_blocks', 'dedup_bytes', 'get_blocks', 'get_bytes', 'get_missing'].map(
      (name) => `drystone_agent_${name}_total`,
    ),
    ...['has_hashes', 'has_missing', 'receipts'].map((name) => `drystone_agent_${name}_total`),
    ...['put_seconds', 'get_seconds', 'sync_seconds', 'put_block_size_bytes', 'get_block_size_bytes'].map(
      (name) => `drystone_agent_${name}_count`,
    ),
  ])('%s is there, at zero, from the start', async (series) => {
    expect(await server.metric(series)).toBe(0);
  });
});
