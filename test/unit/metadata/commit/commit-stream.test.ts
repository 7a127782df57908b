import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import { receiptToMessage } from '../../../../common/receipt-message.js';
import { CommitStream } from '../../../../metadata/commit/commit-stream.js';
import { ReceiptVerifier } from '../../../../metadata/commit/receipt-verifier.js';
import { createCommitMetrics } from '../../../../metadata/metrics.js';
import type { DirectoryStore, MetadataStore } from '../../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { Access } from '../../../../metadata/trust/access.js';
import type { Receipt as WireReceipt } from '../../../../proto/gen/drystone/block/v1/block.js';
import type { PushRequest } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { deferred } from '../../../support/async-tools.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { ana, enrollDevice, feedOf, furnish, lisbon, shared } from '../../../support/metadata/furnished-store.js';
import { deviceNamed, hashesNamed, itemAt, receiptOf } from '../../../support/metadata/samples.js';

const clock = new ManualClock(1_800_000_000_000);
const commitOf = (path: string, receipts: readonly WireReceipt[] = []): PushRequest => {
  return { namespaceId: shared.id, items: [{ ...itemToWire(itemAt('x')), path }], receipts, endorsement: undefined };
};

/** The device that has made all items of the tests. */
const device = { kind: 'device', deviceId: deviceNamed('ana'), account: ana } as const;

function streamOver(store: MetadataStore, keys: Pick<DirectoryStore, 'getAgents'> = store.directory): CommitStream {
  const verifier = new ReceiptVerifier(keys, clock);
  const metrics = createCommitMetrics(new Registry());
  return new CommitStream({ access: new Access(store), store, verifier, metrics, clock }, device);
}

async function furnishedStore(): Promise<MetadataStore> {
  const store = createMemoryStore();
  await furnish(store);
  await enrollDevice(store, ana, 'ana');
  return store;
}

describe('CommitStream', () => {
  it('begins nothing after a request that it refused, however many were read ahead', async () => {
    const store = await furnishedStore();
    const stream = streamOver(store);
    const outcomes = await Promise.allSettled(
      ['first', '..', 'never', 'nor this'].map((path) => stream.commit(commitOf(path))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    expect(await feedOf(store)).toEqual(['1 first']);
  });

  it('lets commits take effect in their order, even where the first takes longer to check', async () => {
    const store = await furnishedStore();
    const asked = deferred();
    const stream = streamOver(store, { getAgents: () => asked.promise.then(() => [lisbon.row]) });
    const receipt = receiptToMessage(receiptOf(lisbon, shared.id, hashesNamed('x'), clock.nowMs()));
    const commits = [stream.commit(commitOf('first', [receipt])), stream.commit(commitOf('second'))];
    await new Promise((resolve) => setImmediate(resolve));
    asked.resolve();
    await Promise.all(commits);
    expect(await feedOf(store)).toEqual(['1 first', '2 second']);
  });
});
