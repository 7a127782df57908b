import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { followFeed as followAsAgent } from '../../../../agent/feed/follow-feed.js';
import { MemoryFeedStore } from '../../../../agent/feed/memory-feed-store.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { catchUp, followFeed, type FeedFollowerParts } from '../../../../client/sync/feed-follower.js';
import { InHand } from '../../../../client/sync/in-hand.js';
import type { DeviceId } from '../../../../common/ids.js';
import type { MetadataStore } from '../../../../metadata/store/contract.js';
import { openLmdbStore } from '../../../../metadata/store/lmdb-store.js';
import { FakeFeed } from '../../../support/agent/fake-feed.js';
import { feedOf as agentFeedOf } from '../../../support/agent/feed-samples.js';
import { commitItems, furnish, shared } from '../../../support/metadata/furnished-store.js';
import { itemAt, replicaNamed, sampleAgent } from '../../../support/metadata/samples.js';
import { BROKEN, servedFeed } from '../../../support/metadata/served-feed.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const MADE_SINCE = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8'];
const { signal } = new AbortController();

let dir: string;
let metadata: MetadataStore;

beforeEach(async () => {
  dir = temporaryDirectory();
  metadata = await openLmdbStore(join(dir, 'store'));
  await furnish(metadata);
  await commit('base');
  onTestFinished(() => metadata.close());
});

async function commit(...paths: readonly string[]): Promise<void> {
  for (const path of paths) await commitItems(metadata, [itemAt(path)]);
}

/** Metadata is stopped for as long as `work` takes. */
async function whileStopped(work: () => void): Promise<void> {
  await metadata.close();
  work();
  metadata = await openLmdbStore(join(dir, 'store'));
}

function backUp(): Promise<void> {
  return whileStopped(() => cpSync(join(dir, 'store'), join(dir, 'backup'), { recursive: true }));
}

/** Everything that was committed since the backup is lost, and more than that is committed by others. */
async function restore(): Promise<void> {
  await whileStopped(() => {
    rmSync(join(dir, 'store'), { recursive: true });
    cpSync(join(dir, 'backup'), join(dir, 'store'), { recursive: true });
  });
  await commit(...MADE_SINCE);
}

/** A folder that reads metadata's feed. */
class Reader {
  readonly store = new MemoryTreeStore();
  resets = 0;

  /** The paths that it has heard of. */
  get known(): string[] {
    return [...this.store.remote.pathsBelow('')];
  }

  /** As metadata serves it now. */
  get parts(): FeedFollowerParts {
    return {
      namespaceId: shared.id,
      endpoint: 'metadata',
      feed: servedFeed(metadata),
      store: this.store,
      inHand: new InHand(this.store),
      device: 'd'.repeat(32) as DeviceId,
      replica: replicaNamed('folder'),
      onPage: () => undefined,
      onReset: () => {
        this.resets++;
      },
    };
  }

  /** Reads to the end, where the subscription breaks. */
  follow(): Promise<void> {
    return expect(followFeed(this.parts, signal)).rejects.toBe(BROKEN);
  }
}

test('a folder that had read on before metadata was restored, and comes back when it has gone past that, hears of everything', async () => {
  const reader = new Reader();
  await backUp();
  await commit('l1', 'l2', 'l3');
  await reader.follow();
  expect(reader.known).toEqual(['base', 'l1', 'l2', 'l3']);
  await restore();
  await expect(catchUp(reader.parts, signal)).rejects.toMatchObject({ reason: 'CURSOR_AHEAD' });
  await reader.follow();
  expect(reader.known).toEqual(['base', ...MADE_SINCE]);
  expect(reader.resets).toBe(1);
});

test('a folder that had read no more than what the backup has goes on where it was', async () => {
  const reader = new Reader();
  await reader.follow();
  await backUp();
  await commit('l1', 'l2', 'l3');
  await restore();
  await reader.follow();
  expect(reader.known).toEqual(['base', ...MADE_SINCE]);
  expect(reader.resets).toBe(0);
  // Nor does anything begin again when metadata is merely started again.
  await whileStopped(() => undefined);
  await commit('n');
  await reader.follow();
  expect(reader.known).toContain('n');
  expect(reader.resets).toBe(0);
});

test('an agent that had read on before metadata was restored reads it all again, and forgets what was lost', async () => {
  const store = new MemoryFeedStore();
  const { id: agentId } = sampleAgent('lisbon');
  const follow = async (): Promise<unknown> => {
    const feed = Object.assign(new FakeFeed(), servedFeed(metadata));
    return followAsAgent({ feed, store, agentId }, shared.id, { signal, onPage: () => undefined }).catch(
      (thrown: unknown) => thrown,
    );
  };
  await backUp();
  await commit('l1', 'l2', 'l3');
  expect(await follow()).toBe(BROKEN);
  await restore();
  expect(await follow()).toMatchObject({ reason: 'CURSOR_AHEAD' });
  expect(await follow()).toBe(BROKEN);
  const paths = (await agentFeedOf(store, shared.id)).map((entry) => entry.split(' ')[1]);
  expect(paths.sort()).toEqual(['base', ...MADE_SINCE]);
});
