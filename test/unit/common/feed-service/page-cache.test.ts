import { describe, expect, it } from 'vitest';
import type { EncodedPage } from '../../../../common/feed-service/encoded-page.js';
import { PageCache } from '../../../../common/feed-service/page-cache.js';
import { deferred } from '../../../support/async-tools.js';
import { cursor } from '../../../support/metadata/samples.js';

const page = (bytes: number): EncodedPage => ({
  bytes: Buffer.alloc(bytes),
  entryCount: 1,
  nextCursor: cursor(1),
  caughtUp: true,
});

describe('PageCache', () => {
  it('reads once for all who ask, also while the reading is under way', async () => {
    const cache = new PageCache(10_000);
    const reading = deferred<EncodedPage>();
    let reads = 0;
    const read = () => {
      reads++;
      return reading.promise;
    };
    const asked = [cache.get('a', read), cache.get('a', read)];
    reading.resolve(page(10));
    const [first, second] = await Promise.all(asked);
    expect(first).toBe(second);
    expect(await cache.get('a', read)).toBe(first);
    expect(reads).toBe(1);
  });

  it('forgets what was used least recently when it is full', async () => {
    const cache = new PageCache(10_000);
    const reads: string[] = [];
    const get = (key: string) =>
      cache.get(key, async () => {
        reads.push(key);
        return page(4_000);
      });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await get(key);
    expect(reads).toEqual(['a', 'b', 'c', 'b']);
    expect(cache.usedBytes).toBeLessThanOrEqual(10_000);
  });

  it('counts what a page costs beside its bytes', async () => {
    const cache = new PageCache(100_000);
    for (let index = 0; index < 10_000; index++) await cache.get(String(index), async () => page(1));
    expect(cache.usedBytes).toBeLessThanOrEqual(100_000);
    let isKept = true;
    await cache.get('0', async () => {
      isKept = false;
      return page(1);
    });
    expect(isKept).toBe(false);
  });

  it('does not keep a failed reading', async () => {
    const cache = new PageCache(10_000);
    await expect(cache.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await cache.get('a', async () => page(10))).toEqual(page(10));
    expect(cache.usedBytes).toBeGreaterThan(0);
  });
});
