import { describe, expect, it } from 'vitest';
import { hashHex } from '../../../common/block-hash.js';
import type { BlockStore } from '../../../server/block-store.js';
import { MemoryBlockStore } from '../../../server/memory-block-store.js';
import { VerifyingBlockStore } from '../../../server/verifying-block-store.js';
import { blockOf, hashesOf, NAMESPACE, sampleBlocks } from '../../support/blocks/sample-blocks.js';

function verifyingStore(engine: BlockStore = new MemoryBlockStore()) {
  const damaged: string[] = [];
  return { engine, damaged, store: new VerifyingBlockStore(engine, (hash) => damaged.push(hash)) };
}

describe('VerifyingBlockStore', () => {
  it('gives out what matches its hash, small and large', async () => {
    const { store, damaged } = verifyingStore();
    const blocks = sampleBlocks('fine', 10, 200_000);
    await store.put(NAMESPACE, blocks);
    const found = await store.get(NAMESPACE, hashesOf(blocks));
    expect(found.map((data) => data?.length)).toEqual([10, 200_000]);
    expect(damaged).toEqual([]);
  });

  it('counts a damaged block as missing, reports it, and heals when it is put again', async () => {
    const { store, engine, damaged } = verifyingStore();
    const [fine, rotten] = [blockOf('fine'), blockOf('as it was')];
    await engine.put(NAMESPACE, [fine, { hash: rotten.hash, data: Buffer.from('as it wAs') }]);
    const asked = hashesOf([rotten, fine]);
    expect((await store.get(NAMESPACE, asked)).map((data) => data?.toString())).toEqual([undefined, 'fine']);
    expect(damaged).toEqual([hashHex(rotten.hash)]);
    expect(await store.sizes(NAMESPACE, asked)).toEqual([0, 4]);
    expect(await store.put(NAMESPACE, [rotten])).toMatchObject({ newBlocks: 1 });
    expect((await store.get(NAMESPACE, asked)).map((data) => data?.toString())).toEqual(['as it was', 'fine']);
    expect(damaged).toHaveLength(1);
  });

  it('looks twice before it throws a block away', async () => {
    const engine = new MemoryBlockStore();
    const { store, damaged } = verifyingStore(engine);
    const block = blockOf('seen wrongly once');
    await store.put(NAMESPACE, [block]);
    const read = engine.get.bind(engine);
    let reads = 0;
    engine.get = async (...args) => {
      const found = await read(...args);
      if (reads++ === 0) found[0]!.fill(0);
      return found;
    };
    expect((await store.get(NAMESPACE, block.hash))[0]?.toString()).toBe('seen wrongly once');
    expect(damaged).toEqual([]);
    expect(await engine.stats()).toMatchObject({ blocks: 1 });
  });
});
