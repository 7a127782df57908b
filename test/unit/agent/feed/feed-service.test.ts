import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { createFeedMetrics } from '../../../../agent/feed/feed-metrics.js';
import { createFeedService } from '../../../../agent/feed/feed-service.js';
import { MemoryFeedStore } from '../../../../agent/feed/memory-feed-store.js';
import { DrystoneError } from '../../../../common/errors.js';
import { FeedReader } from '../../../../common/feed-service/feed-reader.js';
import { Subscriptions } from '../../../../common/feed-service/subscriptions.js';
import { WatcherLimit } from '../../../../common/feed-service/watcher-limit.js';
import type { AccountName } from '../../../../common/ids.js';
import type { StreamAccess } from '../../../../server/block-access.js';
import { shared } from '../../../support/agent/feed-samples.js';
import { aborted } from '../../../support/async-tools.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { cursor, deviceNamed, itemAt, newItem } from '../../../support/metadata/samples.js';

const expired = new DrystoneError('UNAUTHENTICATED', 'TOKEN_EXPIRED', 'the token has ended');
const device = deviceNamed('ana');

describe('a stream at an agent', () => {
  let store: MemoryFeedStore;
  let subscriptions: Subscriptions;
  let leaving: AbortController;
  let endToken: (() => void) | undefined;
  let isAllowed: boolean;

  beforeEach(() => {
    store = new MemoryFeedStore();
    subscriptions = new Subscriptions(new FeedReader(store, 1024), new WatcherLimit(10));
    store.onMoved((namespaceId, end) => subscriptions.moved(namespaceId, end));
    leaving = new AbortController();
    isAllowed = true;
  });

  const access: StreamAccess = {
    account: 'ana' as AccountName,
    device,
    require() {
      if (!isAllowed) throw new DrystoneError('NOT_FOUND', 'NAMESPACE_NOT_ASSIGNED', 'not here');
    },
    whenExpired(listener) {
      endToken = () => listener(expired);
      return () => (endToken = undefined);
    },
  };

  /** What an RPC of the service answers to these requests. */
  function call(name: 'subscribe' | 'push', input: unknown): AsyncGenerator<unknown, void, undefined> {
    const pushes = {
      store,
      blocks: { sizes: async () => [] },
      clock: new ManualClock(),
      metrics: createFeedMetrics(new Registry()),
      onLogged: () => undefined,
    };
    const parts = { access: { check: async () => access }, reader: subscriptions.reader, subscriptions, pushes };
    const handler = createFeedService(parts).methods[name]!.handler as (
      input: unknown,
      context: unknown,
    ) => AsyncGenerator<unknown, void, undefined>;
    const caller = { kind: 'device', deviceId: device, account: 'ana' };
    return handler(input, { signal: leaving.signal, peer: '', caller, accessToken: 'token' });
  }

  const subscribe = () => call('subscribe', { namespaceId: shared, afterCursor: 0n, replicaId: '' });
  const commit = (path: string) => store.follow(shared, { items: [newItem(itemAt(path))], followed: cursor(1) });

  it('of one who waits for changes ends with the token', async () => {
    const pages = subscribe();
    await pages.next();
    const next = pages.next();
    endToken!();
    await expect(next).rejects.toBe(expired);
    await eventually(() => subscriptions.count).toBe(0);
  });

  it('of one who leaves while nothing comes leaves nothing behind', async () => {
    const pages = subscribe();
    await pages.next();
    const next = pages.next();
    leaving.abort();
    expect(await next).toMatchObject({ done: true });
    await eventually(() => subscriptions.count).toBe(0);
    expect(endToken).toBeUndefined();
  });

  it('is asked before each page whether it may go on', async () => {
    const pages = subscribe();
    await pages.next();
    await commit('a');
    expect((await pages.next()).value).toMatchObject({ entryCount: 1 });
    isAllowed = false;
    const next = pages.next();
    await commit('b');
    await expect(next).rejects.toMatchObject({ reason: 'NAMESPACE_NOT_ASSIGNED' });
  });

  it('of one who was given the cursor with another history is refused', async () => {
    await commit('a');
    const request = { namespaceId: shared, afterCursor: 1n, replicaId: '' };
    const history = (await store.historyOf(shared, cursor(1))) ?? '';
    const known = call('subscribe', { ...request, afterHistory: Buffer.from(history, 'hex') });
    expect((await known.next()).value).toMatchObject({ entryCount: 0, caughtUp: true });
    leaving.abort();
    leaving = new AbortController();
    const another = call('subscribe', { ...request, afterHistory: Buffer.alloc(8, 1) });
    await expect(another.next()).rejects.toMatchObject({ code: 'OUT_OF_RANGE', reason: 'CURSOR_AHEAD' });
  });

  it('of one who pushes nothing ends with the token', async () => {
    const answers = call(
      'push',
      (async function* () {
        await aborted(leaving.signal);
        yield undefined;
      })(),
    );
    const next = answers.next();
    await eventually(() => endToken).toBeDefined();
    endToken!();
    await expect(next).rejects.toBe(expired);
    leaving.abort();
  });
});
