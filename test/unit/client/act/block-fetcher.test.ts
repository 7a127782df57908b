import { expect, test } from 'vitest';
import { BlockFetcher, type BlockSource } from '../../../../client/act/download/block-fetcher.js';
import { hashAt, hashBlockSync, hashCount, hashHex } from '../../../../common/block-hash.js';
import { DrystoneError } from '../../../../common/errors.js';
import type { NamespaceId } from '../../../../common/ids.js';
import type { BlockClient, FetchedBlock } from '../../../../server/block-client.js';

const NAMESPACE = '0'.repeat(32) as NamespaceId;

interface FakeSource extends BlockSource {
  readonly asked: string[];
  failures: number;
  fetchedBytes: number;
}

/** An agent that has some texts, and may break off after a number of answers. */
function source(texts: readonly string[], breaksAfter = Infinity): FakeSource {
  const held = new Map(texts.map((text) => [hashHex(hashBlockSync(Buffer.from(text))), Buffer.from(text)]));
  const fake: FakeSource = {
    asked: [],
    failures: 0,
    fetchedBytes: 0,
    onFailure: () => fake.failures++,
    onFetched: (sizeBytes) => (fake.fetchedBytes += sizeBytes),
    blocks: { get } as unknown as BlockClient,
  };
  async function* get(_namespace: NamespaceId, lists: AsyncIterable<Uint8Array>): AsyncGenerator<FetchedBlock> {
    let answers = 0;
    for await (const list of lists) {
      for (let index = 0; index < hashCount(list); index++) {
        const hash = hashAt(list, index);
        fake.asked.push(hashHex(hash));
        if (answers++ >= breaksAfter) throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'the line broke');
        yield { hash, data: held.get(hashHex(hash)) };
      }
    }
  }
  return fake;
}

/** Wants all texts at once; what came of each, in order. */
async function fetchAll(sources: readonly BlockSource[], texts: readonly string[]): Promise<string[]> {
  const fetcher = new BlockFetcher(NAMESPACE, sources);
  const running = fetcher.run(new AbortController().signal);
  const results = texts.map(
    (text) =>
      new Promise<string>((resolve) => {
        const deliver = (data: Buffer): void => resolve(data.toString());
        void fetcher.want({ hash: hashBlockSync(Buffer.from(text)), deliver, fail: ({ reason }) => resolve(reason) });
      }),
  );
  const all = await Promise.all(results);
  fetcher.end();
  await running;
  return all;
}

test('each block comes from the first source that has it', async () => {
  const [near, far] = [source(['a', 'c']), source(['a', 'b', 'c', 'd'])];
  expect(await fetchAll([near, far], ['a', 'b', 'c', 'd'])).toEqual(['a', 'b', 'c', 'd']);
  expect(near.asked).toHaveLength(4);
  expect(far.asked).toHaveLength(2);
  expect([near.fetchedBytes, far.fetchedBytes, near.failures]).toEqual([2, 2, 0]);
});

test('a source that breaks off leaves what it owes, and all that comes later, to the next', async () => {
  const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
  const [near, far] = [source(texts, 7), source(texts)];
  expect(await fetchAll([near, far], texts)).toEqual(texts);
  expect(near.failures).toBe(1);
  expect(far.asked).toHaveLength(43);
});

test('what nobody has, or nobody who can be reached, is told so', async () => {
  expect(await fetchAll([source(['a']), source([], 0)], ['a', 'b'])).toEqual(['a', 'BLOCKS_UNAVAILABLE']);
  expect(await fetchAll([], ['a'])).toEqual(['BLOCKS_UNAVAILABLE']);
});

test('a block that is wanted several times at once travels once', async () => {
  const near = source(['a']);
  expect(await fetchAll([near], ['a', 'a', 'a'])).toEqual(['a', 'a', 'a']);
  expect(near.asked).toHaveLength(1);
});
