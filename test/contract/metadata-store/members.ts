import { describe, expect, it } from 'vitest';
import type { AccountName, NamespaceId } from '../../../common/ids.js';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import type { MemberRole } from '../../../metadata/store/rows.js';
import { ana, ben, createAccount, createNamespace, other, shared } from '../../support/metadata/furnished-store.js';
import { accountNamed, auditEntry, namespaceIdNamed, sampleNamespace } from '../../support/metadata/samples.js';
import { expectRefusal, tracesOf } from './audit-log.js';

const nowhere = namespaceIdNamed('nowhere');
const lastOwner = { code: 'FAILED_PRECONDITION', reason: 'LAST_OWNER' } as const;
const namespaceUnknown = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' } as const;

function share(
  store: MetadataStore,
  account: AccountName,
  role: MemberRole,
  namespaceId: NamespaceId = shared.id,
): Promise<void> {
  return store.accounts.putMember(namespaceId, { account, role }, auditEntry('namespace.share', account));
}

function unshare(store: MetadataStore, account: AccountName, namespaceId: NamespaceId = shared.id): Promise<void> {
  return store.accounts.removeMember(namespaceId, account, auditEntry('namespace.unshare', account));
}

/** What a store promises of the members of namespaces. */
export function describeMembers(open: () => Promise<MetadataStore>): void {
  describe('members', () => {
    describeChanges(open);
    describeOwners(open);
    describeLists(open);
  });
}

function describeChanges(open: () => Promise<MetadataStore>): void {
  it('are of one namespace, and whoever made it is its owner', async () => {
    const store = await open();
    expect(await store.accounts.roleOf(shared.id, ana)).toBe('owner');
    expect(await store.accounts.roleOf(shared.id, ben)).toBeUndefined();
    await share(store, ben, 'reader');
    expect(await store.accounts.roleOf(shared.id, ben)).toBe('reader');
    expect(await store.accounts.roleOf(other.id, ben)).toBeUndefined();
    expect(await store.accounts.roleOf(nowhere, ana)).toBeUndefined();
  });

  it('are told apart by their whole names', async () => {
    const store = await open();
    const shorter = accountNamed('an');
    await createAccount(store, shorter);
    expect(await store.accounts.roleOf(shared.id, shorter)).toBeUndefined();
    expect(await store.accounts.roleOf(shared.id, accountNamed('ana-2'))).toBeUndefined();
  });

  it('have every role there is, and each change is said once', async () => {
    const store = await open();
    for (const role of ['reader', 'editor', 'owner'] as const) {
      expect(await tracesOf(store, () => share(store, ben, role))).toEqual(['namespace.share ben', 'directory']);
      expect(await tracesOf(store, () => share(store, ben, role))).toEqual([]);
      expect(await store.accounts.roleOf(shared.id, ben)).toBe(role);
    }
    expect(await tracesOf(store, () => unshare(store, ben))).toEqual(['namespace.unshare ben', 'directory']);
    expect(await tracesOf(store, () => unshare(store, ben))).toEqual([]);
    expect(await store.accounts.roleOf(shared.id, ben)).toBeUndefined();
  });

  it('are known accounts in known namespaces only', async () => {
    const store = await open();
    const stranger = accountNamed('stranger');
    const accountUnknown = { code: 'NOT_FOUND', reason: 'ACCOUNT_UNKNOWN' } as const;
    await expectRefusal(store, () => share(store, stranger, 'reader'), accountUnknown);
    await expectRefusal(store, () => share(store, ben, 'reader', nowhere), namespaceUnknown);
    await expectRefusal(store, () => unshare(store, ben, nowhere), namespaceUnknown);
    expect(await tracesOf(store, () => unshare(store, stranger))).toEqual([]);
    expect(await store.accounts.roleOf(shared.id, stranger)).toBeUndefined();
  });
}

function describeOwners(open: () => Promise<MetadataStore>): void {
  it('are never without an owner', async () => {
    const store = await open();
    await share(store, ben, 'editor');
    await expectRefusal(store, () => unshare(store, ana), lastOwner);
    await expectRefusal(store, () => share(store, ana, 'editor'), lastOwner);
    expect(await store.accounts.roleOf(shared.id, ana)).toBe('owner');
    await share(store, ben, 'owner');
    await share(store, ana, 'editor');
    await expectRefusal(store, () => unshare(store, ben), lastOwner);
  });

  it('are never without an owner, also when two step down at the same time', async () => {
    const store = await open();
    await share(store, ben, 'owner');
    const outcomes = await Promise.allSettled([unshare(store, ben), share(store, ana, 'reader')]);
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: lastOwner }]);
    expect(await store.accounts.roleOf(shared.id, ana)).toBe('owner');
  });

  it('of another namespace do not count as owners', async () => {
    const store = await open();
    await share(store, ben, 'owner', other.id);
    await expectRefusal(store, () => unshare(store, ana), lastOwner);
  });
}

function describeLists(open: () => Promise<MetadataStore>): void {
  it('are listed in pages, by account', async () => {
    const store = await open();
    const names = ['carla', 'ana-2', 'zoe'].map(accountNamed);
    for (const name of names) {
      await createAccount(store, name);
      await share(store, name, 'reader');
    }
    await share(store, ben, 'editor', other.id);
    const list = (after: AccountName | undefined, limit: number) => store.accounts.listMembers(shared.id, after, limit);
    const [carla, longer, zoe] = names.map((account) => ({ account, role: 'reader' }));
    expect(await list(undefined, 2)).toEqual({ rows: [{ account: ana, role: 'owner' }, longer], hasMore: true });
    expect(await list(accountNamed('ana-2'), 10)).toEqual({ rows: [carla, zoe], hasMore: false });
    expect(await list(accountNamed('b'), 1)).toEqual({ rows: [carla], hasMore: true });
    expect(await store.accounts.listMembers(nowhere, undefined, 10)).toEqual({ rows: [], hasMore: false });
  });

  it('find their namespaces, in pages, by id', async () => {
    const store = await open();
    const made = ['a', 'b', 'c', 'd'].map((name) => sampleNamespace(name));
    for (const namespace of made) {
      await createNamespace(store, namespace);
      await share(store, ben, 'reader', namespace.id);
    }
    const sorted = made.map((namespace) => ({ ...namespace, epoch: 1 })).sort((a, b) => (a.id < b.id ? -1 : 1));
    const list = (after: NamespaceId | undefined, limit: number) => store.accounts.listMemberships(ben, after, limit);
    expect(await list(undefined, 4)).toEqual({ rows: sorted, hasMore: false });
    expect(await list(undefined, 2)).toEqual({ rows: sorted.slice(0, 2), hasMore: true });
    expect(await list(sorted[1]!.id, 1)).toEqual({ rows: sorted.slice(2, 3), hasMore: true });
    await unshare(store, ben, sorted[2]!.id);
    expect(await list(sorted[1]!.id, 10)).toEqual({ rows: sorted.slice(3), hasMore: false });
    const none = await store.accounts.listMemberships(accountNamed('be'), undefined, 10);
    expect(none).toEqual({ rows: [], hasMore: false });
    expect((await store.accounts.listMemberships(ana, undefined, 10)).rows).toHaveLength(6);
  });
}
