import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { createFeedMetrics } from '../../../../agent/feed/feed-metrics.js';
import { MemoryFeedStore } from '../../../../agent/feed/memory-feed-store.js';
import { relayLog } from '../../../../agent/feed/relay-log.js';
import { hashCount } from '../../../../common/block-hash.js';
import { DrystoneError, type ErrorCode, type ErrorReason } from '../../../../common/errors.js';
import type { Item } from '../../../../common/feed/item.js';
import { wireLimits } from '../../../../common/limits.js';
import { silentLogger } from '../../../../common/logging.js';
import { receiptOfMessage } from '../../../../common/receipt-message.js';
import { isReceiptAuthentic, publicKeyOfRaw } from '../../../../common/receipt.js';
import { createReceiptSigner } from '../../../../server/receipt-signer.js';
import { FakeFeed } from '../../../support/agent/fake-feed.js';
import { emptyLog, pushOf, shared } from '../../../support/agent/feed-samples.js';
import { metricOf } from '../../../support/blocks/block-server.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { fileOf, hashesNamed, hashNamed, itemAt, sampleAgent } from '../../../support/metadata/samples.js';

const lisbon = sampleAgent('lisbon');

describe('what is passed on to metadata', () => {
  let feed: FakeFeed;
  let store: MemoryFeedStore;
  let registry: Registry;
  /** Whether the agent holds a block. */
  let isHeld: (hash: Uint8Array) => boolean;
  let relayed: number;

  beforeEach(() => {
    feed = new FakeFeed();
    store = new MemoryFeedStore();
    registry = new Registry();
    isHeld = () => true;
    relayed = 0;
  });

  const push = (...items: readonly Item[]) => store.push(shared, pushOf(items));
  const metric = (name: string) => metricOf(registry, `drystone_agent_feed_${name}_total`);

  function relay(): Promise<void> {
    const blocks = {
      sizes: async (_: unknown, hashes: Uint8Array) =>
        Array.from({ length: hashCount(hashes) }, (_unused, index) =>
          isHeld(hashes.subarray(index * 32, (index + 1) * 32)) ? 10 : 0,
        ),
    };
    const receipts = createReceiptSigner(lisbon, new ManualClock(1_800_000_000_000));
    registry.clear();
    const metrics = createFeedMetrics(registry);
    const parts = { feed, store, blocks, receipts, metrics, logger: silentLogger() };
    return relayLog(parts, shared, { signal: new AbortController().signal, onRelayed: () => relayed++ });
  }

  const refuse = (code: ErrorCode, reason: ErrorReason) => {
    feed.answer = new DrystoneError(code, reason, 'metadata does not want it');
  };

  it('is what was pushed, in its order, each after receipts for its blocks', async () => {
    await push(itemAt('a', { ana: 1 }, fileOf('x', 'y')));
    await push(itemAt('b'), itemAt('c'));
    await relay();
    expect(feed.pushed.map(({ items }) => items.map(({ path }) => path))).toEqual([[], ['a'], ['b', 'c']]);
    const [first] = feed.pushed;
    expect(first?.endorsement).toBeUndefined();
    const receipt = receiptOfMessage('receipt', first!.receipts[0]!);
    expect(receipt).toMatchObject({ agentId: lisbon.id, namespaceId: shared, hashes: hashesNamed('x', 'y') });
    expect(isReceiptAuthentic(receipt, publicKeyOfRaw(lisbon.row.publicKey))).toBe(true);
    expect(await store.firstProvisional(shared)).toBeUndefined();
    expect([relayed, await metric('relayed'), await metric('refused')]).toEqual([2, 2, 0]);
  });

  it('has receipts of no more blocks than one may have', async () => {
    const names = Array.from({ length: wireLimits.hashesPerMessage + 1 }, (_, index) => String(index));
    await push(itemAt('large', { ana: 1 }, fileOf(...names)));
    await relay();
    const [first] = feed.pushed;
    expect(first!.receipts.map(({ hashes }) => hashCount(hashes))).toEqual([wireLimits.hashesPerMessage, 1]);
  });

  it('has no receipt for what is no longer here, and is dropped where metadata misses it', async () => {
    await push(itemAt('a', { ana: 1 }, fileOf('x', 'lost')));
    await push(itemAt('b'));
    isHeld = (hash) => !hashNamed('lost').equals(hash);
    feed.answer = { cursor: 0n, missingHashes: hashNamed('lost'), merged: [] };
    await relay();
    expect(feed.pushed[0]!.receipts.map(({ hashes }) => Buffer.from(hashes))).toEqual([hashNamed('x')]);
    expect(await metric('refused')).toBe(2);
  });

  it.each<[ErrorCode, ErrorReason]>([
    ['PERMISSION_DENIED', 'ENDORSEMENT_INVALID'],
    ['PERMISSION_DENIED', 'ROLE_INSUFFICIENT'],
    ['INVALID_ARGUMENT', 'FIELD_INVALID'],
  ])('is dropped and counted where metadata says %s (%s)', async (code, reason) => {
    await push(itemAt('a'));
    refuse(code, reason);
    await relay();
    expect(await emptyLog(store, shared)).toEqual([]);
    expect([relayed, await metric('relayed'), await metric('refused')]).toEqual([1, 0, 1]);
  });

  it.each<[ErrorCode, ErrorReason]>([
    ['UNAVAILABLE', 'TRANSPORT'],
    ['RESOURCE_EXHAUSTED', 'RATE_LIMITED'],
    ['INTERNAL', 'STORE_FAILED'],
    ['NOT_FOUND', 'NAMESPACE_UNKNOWN'],
    ['FAILED_PRECONDITION', 'CLOCK_AHEAD'],
    ['FAILED_PRECONDITION', 'AGENT_NOT_ASSIGNED'],
    ['PERMISSION_DENIED', 'RECEIPT_INVALID'],
    ['UNAUTHENTICATED', 'CERTIFICATE_EXPIRED'],
  ])('waits where metadata says %s (%s)', async (code, reason) => {
    await push(itemAt('a'));
    refuse(code, reason);
    await expect(relay()).rejects.toMatchObject({ code, reason });
    expect(await metric('refused')).toBe(0);
    expect(await emptyLog(store, shared)).toEqual([['a']]);
  });

  it('waits where metadata ends the stream without an answer', async () => {
    await push(itemAt('a'));
    feed.push = async function* () {
      // Says nothing.
    };
    await expect(relay()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await emptyLog(store, shared)).toEqual([['a']]);
  });
});
