import { beforeEach, describe, expect, it } from 'vitest';
import { trustLimits } from '../../../../common/limits.js';
import { systemRandom } from '../../../../common/random.js';
import type { MetadataStore } from '../../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { TokenKeys } from '../../../../metadata/trust/token-keys.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';

const { tokenKeyMs, tokenKeyNoticeMs, accessTokenMs, accessTokenSkewMs } = trustLimits;

describe('TokenKeys', () => {
  let store: MetadataStore;
  let clock: ManualClock;
  let changes: number;

  beforeEach(() => {
    store = createMemoryStore();
    clock = new ManualClock(1_800_000_000_000);
    changes = 0;
  });

  const open = () => TokenKeys.open({ store, clock, random: systemRandom, onChange: () => changes++ });
  const ids = (keys: TokenKeys) => keys.all.map(({ id }) => id);
  const audited = async () => {
    const query = { after: 0, maxEntries: 100, namespace: undefined, account: undefined };
    return (await store.audit.list(query)).entries.map(({ actor, action, subject }) => `${actor} ${action} ${subject}`);
  };

  it('makes a key that signs at once on the first start, and finds it again on the next', async () => {
    const first = await open();
    expect(first.all).toEqual([first.current]);
    expect(first.current.activeFromMs).toBe(clock.nowMs());
    const second = await open();
    expect(second.current.id).toBe(first.current.id);
    expect(second.current.publicKey).toEqual(first.current.publicKey);
    expect(await audited()).toEqual([`metadata token-key.create ${first.current.id}`]);
  });

  it('tells of the next key so long before it signs, and not before', async () => {
    const keys = await open();
    const old = keys.current.id;
    clock.advance(tokenKeyMs - tokenKeyNoticeMs - 1);
    await keys.rotate();
    expect(ids(keys)).toEqual([old]);
    clock.advance(1);
    await keys.rotate();
    expect(keys.all).toHaveLength(2);
    expect(keys.all[1]).toMatchObject({ activeFromMs: clock.nowMs() + tokenKeyNoticeMs });
    clock.advance(tokenKeyNoticeMs - 1);
    expect(keys.current.id).toBe(old);
    clock.advance(1);
    expect(keys.current.id).toBe(keys.all[1]!.id);
    expect(await audited()).toHaveLength(2);
  });

  it('forgets a key when the last token that it can have signed counts no more, and not before', async () => {
    const keys = await open();
    const old = keys.current.id;
    clock.advance(tokenKeyMs - tokenKeyNoticeMs);
    await keys.rotate();
    clock.advance(tokenKeyNoticeMs + accessTokenMs + accessTokenSkewMs);
    await keys.rotate();
    expect(ids(keys)).toContain(old);
    clock.advance(1);
    await keys.rotate();
    expect(ids(keys)).toEqual([keys.current.id]);
    expect(keys.current.id).not.toBe(old);
    expect((await store.enrollment.listTokenKeys()).map(({ id }) => id)).toEqual([keys.current.id]);
  });

  it('gives agents their notice also after the service has been away for longer than a key lasts', async () => {
    const old = (await open()).current.id;
    clock.advance(10 * tokenKeyMs);
    const keys = await open();
    expect(keys.current.id).toBe(old);
    expect(keys.all[1]).toMatchObject({ activeFromMs: clock.nowMs() + tokenKeyNoticeMs });
    clock.advance(tokenKeyNoticeMs);
    expect(keys.current.id).toBe(keys.all[1]!.id);
  });

  it('rotates by itself as time passes, with never more keys than an agent takes', async () => {
    const keys = await open();
    const end = new AbortController();
    const watching = keys.keepWatch(end.signal, (thrown) => {
      throw thrown;
    });
    const signed = new Set<string>();
    for (let hour = 0; hour < 80; hour++) {
      await eventually(() => clock.sleepingMs.length).toBe(1);
      signed.add(keys.current.id);
      expect(keys.all.length).toBeLessThanOrEqual(trustLimits.tokenKeys);
      clock.advance(trustLimits.renewCheckMs);
    }
    expect(signed.size).toBe(4);
    end.abort();
    await watching;
  });

  it('says when its keys have changed, and when they have not it is silent', async () => {
    const keys = await open();
    const before = changes;
    await keys.rotate();
    expect(changes).toBe(before);
    clock.advance(tokenKeyMs - tokenKeyNoticeMs);
    await keys.rotate();
    expect(changes).toBe(before + 1);
  });

  it('goes on signing with a clock that was set back', async () => {
    const keys = await open();
    clock.advance(-accessTokenSkewMs);
    expect(keys.current).toBe(keys.all[0]);
  });

  it('says what went wrong with a rotation, and tries again', async () => {
    const keys = await open();
    const failures: unknown[] = [];
    const end = new AbortController();
    await store.close();
    const watching = keys.keepWatch(end.signal, (thrown) => failures.push(thrown));
    await eventually(() => failures).toMatchObject([{ reason: 'DRAINING' }]);
    await eventually(() => clock.sleepingMs.length).toBe(1);
    clock.advance(trustLimits.renewCheckMs);
    await eventually(() => failures.length).toBe(2);
    end.abort();
    await watching;
  });
});
