import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../common/clock.js';
import { blockServerLimits } from '../../../common/limits.js';
import type { BlockStore } from '../../../server/block-store.js';
import { openLmdbBlockStore } from '../../../server/lmdb-block-store.js';
import { hashesOf, manyBlocks, NAMESPACE, OTHER_NAMESPACE, sampleBlocks } from '../../support/blocks/sample-blocks.js';

let directory = '';
let syncs = 0;
const opened: BlockStore[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drystone-lmdb-'));
  syncs = 0;
});

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(directory, { recursive: true });
});

async function open(name = 'blocks'): Promise<BlockStore> {
  const store = await openLmdbBlockStore({
    path: join(directory, name),
    clock: systemClock,
    onSync: () => (syncs += 1),
  });
  opened.push(store);
  return store;
}

describe('the LMDB engine', () => {
  it('has everything after it was closed and opened again', async () => {
    const blocks = sampleBlocks('again', 1, 5000, 300_000);
    const first = await open();
    await first.put(NAMESPACE, blocks);
    await first.put(OTHER_NAMESPACE, blocks.slice(0, 1));
    const stats = await first.stats();
    await first.close();
    const second = await open();
    expect(await second.stats()).toEqual(stats);
    expect(await second.sizes(NAMESPACE, hashesOf(blocks))).toEqual([1, 5000, 300_000]);
    expect(await second.sizes(OTHER_NAMESPACE, hashesOf(blocks))).toEqual([1, 0, 0]);
    expect(await second.put(OTHER_NAMESPACE, blocks)).toEqual({ newBlocks: 0, newBytes: 0 });
  });

  it('opens a directory whose name looks like a file', async () => {
    const store = await open('site.blocks');
    expect(await store.stats()).toMatchObject({ blocks: 0, mapBytes: blockServerLimits.mapBytes });
    expect((await store.stats()).fileBytes).toBeGreaterThan(0);
  });

  it('syncs once for puts that come together, and not at all where nothing is new', async () => {
    const store = await open();
    const blocks = manyBlocks('together', 500, 1000);
    await Promise.all(blocks.map((block) => store.put(NAMESPACE, [block])));
    expect(syncs).toBe(1);
    await store.put(NAMESPACE, blocks);
    expect(syncs).toBe(1);
    await store.put(OTHER_NAMESPACE, blocks);
    expect(syncs).toBe(2);
  });

  it('does not write a block again that is there: its file does not grow', async () => {
    const store = await open();
    const blocks = sampleBlocks('once', 4 * 1024 * 1024);
    await store.put(NAMESPACE, blocks);
    const { fileBytes } = await store.stats();
    for (let round = 0; round < 5; round++) {
      await store.put(NAMESPACE, blocks);
      await store.put(`${round}`.repeat(32) as typeof NAMESPACE, blocks);
    }
    expect((await store.stats()).fileBytes - fileBytes).toBeLessThan(1024 * 1024);
  });

  it('uses the room of what was discarded again', async () => {
    const store = await open();
    for (let round = 0; round < 10; round++) {
      const [block] = sampleBlocks(`round ${round}`, 4 * 1024 * 1024);
      await store.put(NAMESPACE, [block!]);
      await store.discard(block!.hash);
    }
    expect((await store.stats()).fileBytes).toBeLessThan(24 * 1024 * 1024);
  });
});
