import { beforeEach, expect, test } from 'vitest';
import { BlockFetcher } from '../../../../client/act/download/block-fetcher.js';
import type { BlockSource } from '../../../../client/act/download/block-source.js';
import type { SourceKind } from '../../../../client/act/download/source-order.js';
import { hashAt, hashBlockSync, hashCount, hashHex } from '../../../../common/block-hash.js';
import { DrystoneError } from '../../../../common/errors.js';
import type { NamespaceId } from '../../../../common/ids.js';
import { peerLimits } from '../../../../common/limits.js';
import type { BlockClient, FetchedBlock } from '../../../../server/block-client.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { quietFor } from '../../../support/async-tools.js';

const NAMESPACE = '0'.repeat(32) as NamespaceId;
const SELF = 'f'.repeat(32);

interface FakeSource extends BlockSource {
  readonly asked: string[];
  readonly failures: string[];
  fetchedBytes: number;
}

interface FakeBehaviour {
  /** Of the answers; then the line breaks. */
  readonly breaksAfter?: number;
  readonly error?: DrystoneError;
  /** Answers nothing for as long as the call lasts. */
  readonly isSilent?: boolean;
  readonly kind?: SourceKind;
  readonly tier?: number;
}

let clock: ManualClock;
let sourceCount = 0;

beforeEach(() => {
  clock = new ManualClock();
  sourceCount = 0;
});

/** A source that has some texts. */
function source(texts: readonly string[], behaviour: FakeBehaviour = {}): FakeSource {
  const { breaksAfter = Infinity, isSilent = false, kind = 'other-agent', tier = sourceCount } = behaviour;
  const error = behaviour.error ?? new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'the line broke');
  const held = new Map(texts.map((text) => [hashHex(hashBlockSync(Buffer.from(text))), Buffer.from(text)]));
  const fake: FakeSource = {
    id: (++sourceCount).toString(16).repeat(32).slice(0, 32),
    kind,
    tier,
    asked: [],
    failures: [],
    fetchedBytes: 0,
    isUsable: () => true,
    onFailure: ({ reason }) => void fake.failures.push(reason),
    onFetched: (sizeBytes) => (fake.fetchedBytes += sizeBytes),
    blocks: { get, missing } as unknown as BlockClient,
  };
  async function* get(
    _namespace: NamespaceId,
    lists: AsyncIterable<Uint8Array>,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<FetchedBlock> {
    let answers = 0;
    for await (const list of lists) {
      for (let index = 0; index < hashCount(list); index++) {
        const hash = hashAt(list, index);
        fake.asked.push(hashHex(hash));
        if (isSilent) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        if (answers++ >= breaksAfter || signal.aborted) throw error;
        yield { hash, data: held.get(hashHex(hash)) };
      }
    }
  }
  async function* missing(_namespace: NamespaceId, lists: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const list of lists) {
      const hashes = Array.from({ length: hashCount(list) }, (_, index) => hashAt(list, index));
      yield Buffer.concat(hashes.filter((hash) => !held.has(hashHex(hash))));
    }
  }
  return fake;
}

function fetcherOf(sources: readonly BlockSource[]): BlockFetcher {
  return new BlockFetcher({ namespaceId: NAMESPACE, self: SELF, sources, clock, isPaced: false });
}

function want(fetcher: BlockFetcher, text: string): Promise<string> {
  return new Promise<string>((resolve) => {
    const deliver = (data: Buffer): void => resolve(data.toString());
    const hash = hashBlockSync(Buffer.from(text));
    fetcher.want({ hash, sizeBytes: text.length, deliver, fail: ({ reason }) => resolve(reason) });
  });
}

/** Wants all texts at once; what came of each, in order. */
async function fetchAll(sources: readonly BlockSource[], texts: readonly string[], survey = false): Promise<string[]> {
  const fetcher = fetcherOf(sources);
  const { signal } = new AbortController();
  if (survey)
    await fetcher.survey(
      texts.map((text) => hashBlockSync(Buffer.from(text))),
      signal,
    );
  const running = fetcher.run(signal);
  const all = await Promise.all(texts.map((text) => want(fetcher, text)));
  fetcher.end();
  await running;
  return all;
}

const many = Array.from({ length: 50 }, (_, index) => `text ${index}`);

test('each block comes from the first source that has it', async () => {
  const [near, far] = [source(['a', 'c']), source(['a', 'b', 'c', 'd'])];
  expect(await fetchAll([near, far], ['a', 'b', 'c', 'd'])).toEqual(['a', 'b', 'c', 'd']);
  expect(near.asked).toHaveLength(4);
  expect(far.asked).toHaveLength(2);
  expect([near.fetchedBytes, far.fetchedBytes, near.failures]).toEqual([2, 2, []]);
});

test('a source that breaks off leaves what it owes, and all that comes later, to the next', async () => {
  const [near, far] = [source(many, { breaksAfter: 7 }), source(many)];
  expect(await fetchAll([near, far], many)).toEqual(many);
  expect(near.failures).toEqual(['TRANSPORT']);
  expect(far.asked).toHaveLength(43);
});

test('a source that broke off is asked again after a while; one that sent wrong bytes is not', async () => {
  const wrong = new DrystoneError('DATA_LOSS', 'BLOCK_HASH_MISMATCH', 'wrong bytes');
  const [broken, liar, far] = [
    source([], { breaksAfter: 0 }),
    source([], { breaksAfter: 0, error: wrong }),
    source(many),
  ];
  const fetcher = fetcherOf([broken, liar, far]);
  const running = fetcher.run(new AbortController().signal);
  expect(await want(fetcher, 'text 1')).toBe('text 1');
  expect(await want(fetcher, 'text 2')).toBe('text 2');
  expect([broken.asked.length, liar.asked.length]).toEqual([1, 1]);
  clock.advance(peerLimits.dropMs);
  expect(await want(fetcher, 'text 3')).toBe('text 3');
  expect([broken.asked.length, liar.asked.length]).toEqual([2, 1]);
  fetcher.end();
  await running;
});

test('a source that falls silent is dropped where another can be asked, and waited for where none can', async () => {
  const [silent, far] = [source(many, { isSilent: true, kind: 'site-peer' }), source(['a'])];
  const fetcher = fetcherOf([silent, far]);
  const running = fetcher.run(new AbortController().signal);
  const wanted = many.filter((text) => !fetcher.isFirstHere(hashBlockSync(Buffer.from(text))));
  const results = wanted.map((text) => want(fetcher, text));
  expect(wanted.length).toBeGreaterThan(5);
  for (let passedMs = 0; passedMs < peerLimits.peerStallMs; passedMs += 500) {
    await quietFor(1);
    expect(silent.failures).toEqual([]);
    clock.advance(500);
  }
  expect(new Set(await Promise.all(results))).toEqual(new Set(['BLOCKS_UNAVAILABLE']));
  expect([silent.failures, far.asked.length]).toEqual([['TRANSPORT'], wanted.length]);
  fetcher.end();
  await running;
});

test('what this endpoint is the first to fetch is asked of an agent, unless another endpoint has it already', async () => {
  const [lacking, agent] = [source([], { kind: 'site-peer' }), source(many)];
  const probe = fetcherOf([lacking, agent]);
  const own = many.filter((text) => probe.isFirstHere(hashBlockSync(Buffer.from(text))));
  expect(await fetchAll([lacking, agent], many, true)).toEqual(many);
  expect(agent.asked).toHaveLength(many.length);
  expect(lacking.asked).toHaveLength(many.length - own.length);

  const [holding, spared] = [source(many, { kind: 'site-peer' }), source(many)];
  expect(await fetchAll([holding, spared], many, true)).toEqual(many);
  expect([holding.asked.length, spared.asked.length]).toEqual([many.length, 0]);
});

test('what nobody has, or nobody who can be reached, is told so', async () => {
  expect(await fetchAll([source(['a']), source([], { breaksAfter: 0 })], ['a', 'b'])).toEqual([
    'a',
    'BLOCKS_UNAVAILABLE',
  ]);
  expect(await fetchAll([], ['a'])).toEqual(['BLOCKS_UNAVAILABLE']);
});

test('a block that is wanted several times at once travels once', async () => {
  const near = source(['a']);
  expect(await fetchAll([near], ['a', 'a', 'a'])).toEqual(['a', 'a', 'a']);
  expect(near.asked).toHaveLength(1);
});

test('a source that has failed is asked anew: what its broken stream was about to read is for the next one', async () => {
  const fake = source(['a', 'b']);
  const streams: string[] = [];
  const get: BlockClient['get'] = async function* (namespaceId, lists, options) {
    streams.push('begun');
    if (streams.length > 1) return yield* fake.blocks.get(namespaceId, lists, options);
    const reading = lists[Symbol.asyncIterator]();
    await reading.next();
    void reading.next();
    throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'the line broke');
  };
  const fetcher = fetcherOf([{ ...fake, blocks: { get } as BlockClient }]);
  const running = fetcher.run(new AbortController().signal);
  expect(await want(fetcher, 'a')).toBe('BLOCKS_UNAVAILABLE');
  clock.advance(peerLimits.dropMs);
  expect(await want(fetcher, 'b')).toBe('b');
  fetcher.end();
  await running;
});
