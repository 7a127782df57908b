import { Client, Metadata, type ChannelCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import {
  FeedServiceService,
  type FeedPage,
  type SubscribeRequest,
} from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { eventually } from '../../../support/eventually.js';
import { itemAt } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';

const MIB = 1024 * 1024;
const SYMLINKS = 500;
/** One after the other, each round replaces every item: what a subscriber would have to be sent if nothing were skipped. */
const ROUNDS = 60;

/** A subscription of which nothing is read until it is resumed, over a small window. */
function stalledSubscription(address: string, credentials: ChannelCredentials, request: SubscribeRequest) {
  const client = new Client(address, credentials, { 'grpc-node.flow_control_window': 65_535 });
  const { path, requestSerialize, responseDeserialize } = FeedServiceService.subscribe;
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, new Metadata());
  call.on('error', () => undefined);
  return { call, close: () => client.close() };
}

describe('a subscriber that reads nothing', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;
  beforeEach(async () => {
    metadata = await TestMetadata.start();
    namespace = await metadata.namespace('shared');
  });
  afterEach(() => metadata.stop());

  it('costs a bounded amount of memory, and is sent the last state of each item when it wakes', async () => {
    const request = { namespaceId: namespace.id, afterCursor: 0n, replicaId: '' };
    const credentials = metadata.administrator.transport.channelTo('metadata');
    const { call, close } = stalledSubscription(metadata.program.address, credentials, request);
    const target = 'x'.repeat(2000);
    const itemsOf = (round: number) =>
      Array.from({ length: SYMLINKS }, (_, index) =>
        itemToWire(itemAt(`link-${index}`, { ana: round }, { kind: 'symlink', target: `${target}${round}` })),
      );
    await eventually(() => metadata.metric('drystone_metadata_feed_subscribers')).toBe(1);
    for (let round = 1; round <= ROUNDS; round++) await namespace.commit({ items: itemsOf(round) });
    expect(await metadata.metric('drystone_metadata_feed_lag_entries')).toBeGreaterThan(SYMLINKS);

    const last = new Map<string, bigint>();
    let receivedBytes = 0;
    let receivedEntries = 0;
    for await (const page of call as AsyncIterable<FeedPage>) {
      for (const { item } of page.entries) {
        receivedEntries++;
        receivedBytes += target.length;
        last.set(item!.path, item!.version!.entries[0]!.counter);
      }
      if (page.nextCursor === BigInt(SYMLINKS * ROUNDS)) break;
    }
    close();
    expect([...last.values()]).toEqual(Array<bigint>(SYMLINKS).fill(BigInt(ROUNDS)));
    // Without the bound all 60 MB would have been waiting for it.
    expect(receivedEntries).toBeLessThan((SYMLINKS * ROUNDS) / 2);
    expect(receivedBytes).toBeLessThan(16 * MIB);
  });
});
