import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import { itemAt } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';

const SYMLINKS = 500;
/** One after the other, each round replaces every item: what a subscriber would have to be sent if nothing were skipped. */
const ROUNDS = 60;

describe('a subscriber that reads nothing', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;
  beforeEach(async () => {
    metadata = await TestMetadata.start();
    namespace = await metadata.namespace('shared');
  });
  afterEach(() => metadata.stop());

  it('costs a bounded amount of memory, and is sent the last state of each item when it wakes', async () => {
    const pages = metadata.calls.feed.subscribe({ namespaceId: namespace.id, afterCursor: 0n, replicaId: '' });
    const reading = pages[Symbol.asyncIterator]();
    expect((await reading.next()).value).toMatchObject({ entries: [], caughtUp: true });
    const target = 'x'.repeat(2000);
    const itemsOf = (round: number) =>
      Array.from({ length: SYMLINKS }, (_, index) =>
        itemToWire(itemAt(`link-${index}`, { ana: round }, { kind: 'symlink', target: `${target}${round}` })),
      );
    for (let round = 1; round <= ROUNDS; round++) await namespace.commit({ items: itemsOf(round) });
    expect(await metadata.metric('drystone_metadata_feed_lag_entries')).toBeGreaterThan((SYMLINKS * ROUNDS) / 2);

    const last = new Map<string, bigint>();
    let receivedEntries = 0;
    for await (const page of pages) {
      for (const { item } of page.entries) {
        receivedEntries++;
        last.set(item!.path, item!.version!.entries[0]!.counter);
      }
      if (page.nextCursor === BigInt(SYMLINKS * ROUNDS)) break;
    }
    expect([...last.values()]).toEqual(Array<bigint>(SYMLINKS).fill(BigInt(ROUNDS)));
    // Without the bound all 60 MB would have been waiting for it; with it, what the window holds and both ends queue.
    expect(receivedEntries).toBeLessThan((SYMLINKS * ROUNDS) / 2);
  });
});
