import { afterEach, describe, expect, it } from 'vitest';
import type { Block } from '../../server/block.js';
import type { BlockStore } from '../../server/block-store.js';
import {
  blockOf,
  hashesOf,
  manyBlocks,
  NAMESPACE,
  OTHER_NAMESPACE,
  sampleBlocks,
} from '../support/blocks/sample-blocks.js';

/** An engine or decorator under test. */
export interface BlockStoreSubject {
  /** Opens an empty store. */
  open(): Promise<BlockStore>;
  /** Removes what the store left behind. */
  cleanUp(): Promise<void>;
}

/** What every block store promises: the contract in server/block-store.ts, line by line. */
export function describeBlockStore(name: string, createSubject: () => BlockStoreSubject): void {
  describe(`${name}, as a block store`, () => {
    const opened: { store: BlockStore; subject: BlockStoreSubject }[] = [];

    async function open(): Promise<BlockStore> {
      const subject = createSubject();
      const store = await subject.open();
      opened.push({ store, subject });
      return store;
    }

    afterEach(async () => {
      for (const { store, subject } of opened.splice(0)) {
        await store.close();
        await subject.cleanUp();
      }
    });

    async function contentsOf(store: BlockStore, blocks: readonly Block[]): Promise<(string | undefined)[]> {
      const found = await store.get(NAMESPACE, hashesOf(blocks));
      return found.map((data) => data?.toString('latin1'));
    }

    it('is empty at first', async () => {
      const store = await open();
      const [block] = sampleBlocks('empty', 10);
      expect(await store.stats()).toMatchObject({ blocks: 0, bytes: 0 });
      expect(await store.sizes(NAMESPACE, block!.hash)).toEqual([0]);
      expect(await store.get(NAMESPACE, block!.hash)).toEqual([undefined]);
      expect(await store.get(NAMESPACE, Buffer.alloc(0))).toEqual([]);
    });

    it('gives back what was put, of every size, in the order asked', async () => {
      const store = await open();
      const blocks = sampleBlocks('sizes', 1, 100, 4095, 4096, 70_000, 4 * 1024 * 1024);
      const outcome = await store.put(NAMESPACE, blocks);
      expect(outcome).toEqual({ newBlocks: 6, newBytes: 1 + 100 + 4095 + 4096 + 70_000 + 4 * 1024 * 1024 });
      const asked = [...blocks].reverse();
      expect(await store.sizes(NAMESPACE, hashesOf(asked))).toEqual(asked.map(({ data }) => data.length));
      const found = await store.get(NAMESPACE, hashesOf(asked));
      expect(found.map((data, index) => data?.equals(asked[index]!.data))).toEqual(asked.map(() => true));
    });

    it('says which of many it does not hold', async () => {
      const store = await open();
      const [held, other] = sampleBlocks('missing', 50, 60);
      await store.put(NAMESPACE, [held!]);
      const asked = hashesOf([other!, held!, other!, held!]);
      expect(await store.sizes(NAMESPACE, asked)).toEqual([0, 50, 0, 50]);
      expect((await store.get(NAMESPACE, asked)).map((data) => data?.length)).toEqual([undefined, 50, undefined, 50]);
    });

    it('keeps references apart by namespace: a hash alone opens nothing', async () => {
      const store = await open();
      const [block] = sampleBlocks('apart', 5000);
      await store.put(NAMESPACE, [block!]);
      expect(await store.sizes(OTHER_NAMESPACE, block!.hash)).toEqual([0]);
      expect(await store.get(OTHER_NAMESPACE, block!.hash)).toEqual([undefined]);
    });

    it('keeps content once, however often and wherever it is put', async () => {
      const store = await open();
      const [block, fresh] = sampleBlocks('once', 5000, 600);
      await store.put(NAMESPACE, [block!]);
      expect(await store.put(NAMESPACE, [block!])).toEqual({ newBlocks: 0, newBytes: 0 });
      expect(await store.put(OTHER_NAMESPACE, [block!, fresh!])).toEqual({ newBlocks: 1, newBytes: 600 });
      expect(await store.stats()).toMatchObject({ blocks: 2, bytes: 5600 });
      expect(await store.sizes(OTHER_NAMESPACE, block!.hash)).toEqual([5000]);
    });

    it('keeps content once within one put and among puts at the same time', async () => {
      const store = await open();
      const [block] = sampleBlocks('together', 5000);
      const outcomes = await Promise.all([
        store.put(NAMESPACE, [block!, block!]),
        store.put(OTHER_NAMESPACE, [block!]),
        store.put(NAMESPACE, [block!]),
      ]);
      expect(outcomes.reduce((sum, { newBlocks }) => sum + newBlocks, 0)).toBe(1);
      expect(await store.stats()).toMatchObject({ blocks: 1, bytes: 5000 });
    });

    it('takes many puts at once', async () => {
      const store = await open();
      const blocks = manyBlocks('many', 3000, 100);
      await Promise.all(blocks.map((block) => store.put(NAMESPACE, [block])));
      expect(await store.stats()).toMatchObject({ blocks: 3000, bytes: 300_000 });
      expect(await store.sizes(NAMESPACE, hashesOf(blocks))).toEqual(blocks.map(() => 100));
    });

    it('hands out bytes that nothing done later can change', async () => {
      const store = await open();
      const blocks = [blockOf('first'), blockOf('other'), blockOf('third')];
      await store.put(NAMESPACE, blocks);
      const [first] = await store.get(NAMESPACE, blocks[0]!.hash);
      await store.get(NAMESPACE, hashesOf(blocks));
      expect(first?.toString()).toBe('first');
      first?.fill(0);
      expect(await contentsOf(store, blocks)).toEqual(['first', 'other', 'third']);
    });

    it('takes plain byte arrays and views into larger ones', async () => {
      const store = await open();
      const { hash, data } = blockOf('a view');
      const wide = new Uint8Array(200);
      wide.set(data, 100);
      wide.set(hash, 10);
      const hashView = wide.subarray(10, 42);
      await store.put(NAMESPACE, [{ hash: hashView, data: wide.subarray(100, 106) }]);
      expect(await store.sizes(NAMESPACE, hashView)).toEqual([6]);
      expect((await store.get(NAMESPACE, hashView))[0]?.toString()).toBe('a view');
    });

    it('discards a block in every namespace, and takes it again', async () => {
      const store = await open();
      const [damaged, other] = [blockOf('damaged'), blockOf('other')];
      await store.put(NAMESPACE, [damaged, other]);
      await store.put(OTHER_NAMESPACE, [damaged]);
      await store.discard(damaged.hash);
      expect(await store.sizes(NAMESPACE, hashesOf([damaged, other]))).toEqual([0, 5]);
      expect(await store.sizes(OTHER_NAMESPACE, damaged.hash)).toEqual([0]);
      expect(await store.stats()).toMatchObject({ blocks: 1, bytes: 5 });
      await store.discard(damaged.hash);
      await store.discard(blockOf('never seen').hash);
      expect(await store.stats()).toMatchObject({ blocks: 1, bytes: 5 });
      expect(await store.put(OTHER_NAMESPACE, [damaged])).toEqual({ newBlocks: 1, newBytes: 7 });
      expect(await store.sizes(NAMESPACE, damaged.hash)).toEqual([0]);
      expect((await store.get(OTHER_NAMESPACE, damaged.hash))[0]?.toString()).toBe('damaged');
    });

    it('discards in the first and in the last namespace that there can be', async () => {
      const store = await open();
      const ends = ['00000000000000000000000000000000', 'ffffffffffffffffffffffffffffffff'] as (typeof NAMESPACE)[];
      const block = blockOf('everywhere');
      for (const namespaceId of ends) await store.put(namespaceId, [block]);
      await store.discard(block.hash);
      for (const namespaceId of ends) expect(await store.sizes(namespaceId, block.hash)).toEqual([0]);
    });

    it('finishes what is under way before it closes, and refuses what comes later', async () => {
      const store = await open();
      const [block] = sampleBlocks('closing', 100_000);
      const putting = store.put(NAMESPACE, [block!]);
      const reading = store.get(NAMESPACE, block!.hash);
      const closing = store.close();
      await expect(putting).resolves.toMatchObject({ newBlocks: 1 });
      await expect(reading).resolves.toHaveLength(1);
      await closing;
      await store.close();
      const refusal = { code: 'UNAVAILABLE', reason: 'DRAINING' };
      await expect(store.put(NAMESPACE, [block!])).rejects.toMatchObject(refusal);
      await expect(store.get(NAMESPACE, block!.hash)).rejects.toMatchObject(refusal);
      await expect(store.sizes(NAMESPACE, block!.hash)).rejects.toMatchObject(refusal);
      await expect(store.discard(block!.hash)).rejects.toMatchObject(refusal);
      await expect(store.stats()).rejects.toMatchObject(refusal);
    });
  });
}
