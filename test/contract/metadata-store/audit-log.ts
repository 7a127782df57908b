import { expect } from 'vitest';
import type { ErrorCode, ErrorReason } from '../../../common/errors.js';
import type { AuditQuery, MetadataStore, StoreChange } from '../../../metadata/store/contract.js';

/** All that a query can ask for. */
export const WHOLE_LOG: AuditQuery = { after: 0, maxEntries: 1_000_000, namespace: undefined, account: undefined };

/** What the audit log says: "action subject", in its order. */
export async function logOf(store: MetadataStore, query: Partial<AuditQuery> = {}): Promise<string[]> {
  const { entries } = await store.audit.list({ ...WHOLE_LOG, ...query });
  return entries.map(({ action, subject }) => `${action} ${subject}`);
}

/** What a piece of work does to the log, and what listeners are told of it: "action subject", and the kinds of the changes. */
export async function tracesOf(store: MetadataStore, work: () => Promise<unknown>): Promise<string[]> {
  const before = await logOf(store);
  const changes: StoreChange[] = [];
  const end = store.onChange((change) => changes.push(change));
  await work();
  end();
  const logged = (await logOf(store)).slice(before.length);
  return [...logged, ...changes.map(({ kind }) => kind)];
}

/** That a piece of work is refused and leaves no trace. */
export async function expectRefusal(
  store: MetadataStore,
  work: () => Promise<unknown>,
  refusal: { readonly code: ErrorCode; readonly reason: ErrorReason },
): Promise<void> {
  const traces = await tracesOf(store, () => expect(work()).rejects.toMatchObject(refusal));
  expect(traces).toEqual([]);
}
