import { describe, expect, it } from 'vitest';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import type { TokenKeyRow } from '../../../metadata/store/rows.js';
import { auditEntry, SAMPLE_TIME_MS } from '../../support/metadata/samples.js';
import { logOf, tracesOf } from './audit-log.js';

/** What a store promises of the keys of access tokens. */
export function describeTokenKeys(open: () => Promise<MetadataStore>): void {
  describe('token keys', () => {
    const key = (id: string, activeFromMs: number): TokenKeyRow => ({
      id,
      privateKey: Buffer.from(`key ${id}`),
      createdAtMs: SAMPLE_TIME_MS,
      activeFromMs,
    });
    const put = (store: MetadataStore, row: TokenKeyRow) =>
      store.enrollment.putTokenKey(row, auditEntry('token-key.create', row.id));

    it('lists keys by when they become active', async () => {
      const store = await open();
      expect(await store.enrollment.listTokenKeys()).toEqual([]);
      const rows = [key('b', 30), key('a', 200), key('d', 30), key('c', 4)];
      for (const row of rows) await put(store, row);
      expect(await store.enrollment.listTokenKeys()).toEqual([key('c', 4), key('b', 30), key('d', 30), key('a', 200)]);
    });

    it('tells of keys that come and go, once', async () => {
      const store = await open();
      expect(await tracesOf(store, () => put(store, key('a', 1)))).toEqual(['token-key.create a', 'token keys']);
      expect(await tracesOf(store, () => put(store, key('a', 2)))).toEqual([]);
      expect(await store.enrollment.listTokenKeys()).toEqual([key('a', 1)]);
      const log = await logOf(store);
      expect(await tracesOf(store, () => store.enrollment.removeTokenKey('a'))).toEqual(['token keys']);
      expect(await tracesOf(store, () => store.enrollment.removeTokenKey('a'))).toEqual([]);
      expect(await store.enrollment.listTokenKeys()).toEqual([]);
      expect(await logOf(store)).toEqual(log);
    });
  });
}
