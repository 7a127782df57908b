import { describe, expect, it } from 'vitest';
import type { AgentId, NamespaceName } from '../../../common/ids.js';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import {
  ana,
  ben,
  createNamespace,
  enrollAgent,
  lisbon,
  other,
  porto,
  setAssignment,
  shared,
} from '../../support/metadata/furnished-store.js';
import {
  accountNamed,
  auditEntry,
  namespaceIdNamed,
  sampleAgent,
  sampleNamespace,
  type SampleAgent,
} from '../../support/metadata/samples.js';
import { expectRefusal, tracesOf } from './audit-log.js';

const agentUnknown = { code: 'NOT_FOUND', reason: 'AGENT_UNKNOWN' } as const;

/** What a store promises of agents and namespaces. */
export function describeDirectory(open: (content?: 'empty') => Promise<MetadataStore>): void {
  describe('directory', () => {
    describeAgents(open);
    describeRevocation(open);
    describeNamespaces(open);
  });
}

function describeAgents(open: (content?: 'empty') => Promise<MetadataStore>): void {
  it('keeps agents as they registered last', async () => {
    const store = await open();
    const seen = { address: '[2001:db8::1]:7411', softwareVersion: '1.1' };
    const register = () => store.directory.registerAgent(lisbon.id, seen);
    expect(await tracesOf(store, register)).toEqual(['directory']);
    expect(await tracesOf(store, register)).toEqual([]);
    const stranger = sampleAgent('stranger').id;
    expect(await store.directory.getAgents([stranger, lisbon.id])).toEqual([undefined, { ...lisbon.row, ...seen }]);
    await expectRefusal(store, () => store.directory.registerAgent(stranger, seen), agentUnknown);
  });

  it('lists agents in pages, by id', async () => {
    const store = await open('empty');
    const agents = ['a', 'b', 'c', 'd', 'e'].map((name) => sampleAgent(name));
    for (const agent of agents) await enrollAgent(store, agent);
    const sorted = agents.map(({ row }) => row).sort((a, b) => (a.id < b.id ? -1 : 1));
    const list = (after: AgentId | undefined, limit: number) => store.directory.listAgents(after, limit);
    expect(await list(undefined, 3)).toEqual({ rows: sorted.slice(0, 3), hasMore: true });
    expect(await list(sorted[2]!.id, 2)).toEqual({ rows: sorted.slice(3), hasMore: false });
    expect(await list(sorted[4]!.id, 2)).toEqual({ rows: [], hasMore: false });
  });

  it('knows which namespaces an agent holds', async () => {
    const store = await open();
    const { directory } = store;
    expect(await namesHeldBy(store, lisbon)).toEqual(['other', 'shared']);
    expect(await directory.countHoldings([porto.id, lisbon.id, sampleAgent('stranger').id])).toEqual([1, 2, 0]);
    await setAssignment(store, shared.id, porto);
    expect(await namesHeldBy(store, lisbon)).toEqual(['other']);
    expect(await directory.countHoldings([porto.id, lisbon.id])).toEqual([1, 1]);
  });
}

function describeRevocation(open: () => Promise<MetadataStore>): void {
  const revoke = (store: MetadataStore, { id }: SampleAgent, atMs: number) =>
    store.directory.revokeAgent(id, atMs, auditEntry('agent.revoke', 'it'));

  it('takes a revoked agent out of every assignment, at once', async () => {
    const store = await open();
    expect(await tracesOf(store, () => revoke(store, lisbon, 5))).toEqual(['agent.revoke it', 'directory']);
    expect(await store.directory.getNamespace(shared.id)).toMatchObject({ agents: [porto.id], epoch: 2 });
    expect(await store.directory.getNamespace(other.id)).toMatchObject({ agents: [], epoch: 2 });
    expect(await namesHeldBy(store, lisbon)).toEqual([]);
    expect(await namesHeldBy(store, porto)).toEqual(['shared']);
  });

  it('keeps a revoked agent as it was, and revokes it once', async () => {
    const store = await open();
    const revoked = { ...porto.row, revokedAtMs: 5 };
    expect(await revoke(store, porto, 5)).toEqual(revoked);
    expect(await tracesOf(store, () => revoke(store, porto, 6))).toEqual([]);
    expect(await revoke(store, porto, 7)).toEqual(revoked);
    expect(await store.directory.getAgents([porto.id, lisbon.id])).toEqual([revoked, lisbon.row]);
    expect(await store.directory.getNamespace(shared.id)).toMatchObject({ epoch: 2 });
    await expectRefusal(store, () => revoke(store, sampleAgent('stranger'), 5), agentUnknown);
  });

  it('assigns nothing to a revoked agent any more', async () => {
    const store = await open();
    await revoke(store, porto, 5);
    await expectRefusal(store, () => setAssignment(store, shared.id, lisbon, porto), agentUnknown);
    await expectRefusal(store, () => createNamespace(store, sampleNamespace('new', porto)), agentUnknown);
    expect(await namesHeldBy(store, porto)).toEqual([]);
  });
}

async function namesHeldBy(store: MetadataStore, agent: SampleAgent): Promise<string[]> {
  return (await store.directory.listHoldings(agent.id)).map(({ name }) => name).sort();
}

function describeNamespaces(open: (content?: 'empty') => Promise<MetadataStore>): void {
  it('finds namespaces by id and by name', async () => {
    const { directory } = await open();
    const row = { ...shared, epoch: 1 };
    expect(await directory.getNamespace(shared.id)).toEqual(row);
    expect(await directory.findNamespace(shared.name)).toEqual(row);
    expect(await directory.getNamespace(namespaceIdNamed('nowhere'))).toBeUndefined();
    expect(await directory.findNamespace('nowhere' as NamespaceName)).toBeUndefined();
  });

  it('makes a namespace with its owner, in one', async () => {
    const store = await open();
    const { directory, accounts } = store;
    const made = sampleNamespace('made', lisbon);
    const entry = auditEntry('namespace.create', 'made');
    const create = () => directory.createNamespace(made, ben, entry);
    expect(await tracesOf(store, create)).toEqual(['namespace.create made', 'directory']);
    expect(await directory.getNamespace(made.id)).toEqual({ ...made, epoch: 1 });
    expect(await accounts.roleOf(made.id, ben)).toBe('owner');
    expect(await accounts.roleOf(made.id, ana)).toBeUndefined();
    expect((await accounts.listMemberships(ben, undefined, 10)).rows).toMatchObject([{ name: 'made' }]);
    const nobody = accountNamed('nobody');
    await expectRefusal(store, () => directory.createNamespace(sampleNamespace('new', lisbon), nobody, entry), {
      code: 'NOT_FOUND',
      reason: 'ACCOUNT_UNKNOWN',
    });
    expect(await directory.findNamespace('new' as NamespaceName)).toBeUndefined();
    expect(await directory.countHoldings([lisbon.id])).toEqual([3]);
  });

  it('gives a name once, also to two who ask at the same time', async () => {
    const store = await open();
    const { directory } = store;
    const asks = ['x', 'y'].map((id) => ({ ...sampleNamespace('wanted', lisbon), id: namespaceIdNamed(id) }));
    const outcomes = await Promise.allSettled(asks.map((namespace) => createNamespace(store, namespace)));
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: { reason: 'NAMESPACE_EXISTS' } }]);
    expect((await directory.findNamespace('wanted' as NamespaceName))?.id).toBe(namespaceIdNamed('x'));
  });

  it('raises the epoch with every assignment', async () => {
    const store = await open();
    const assign = () => setAssignment(store, shared.id, porto);
    expect(await assign()).toMatchObject({ epoch: 2, agents: [porto.id] });
    expect(await tracesOf(store, assign)).toEqual([`namespace.assign ${shared.id}`, 'directory']);
    expect(await store.directory.getNamespace(shared.id)).toMatchObject({ epoch: 3, agents: [porto.id] });
  });

  it('assigns known namespaces to known agents only, or changes nothing', async () => {
    const store = await open();
    const { directory } = store;
    const stranger = sampleAgent('stranger');
    await expectRefusal(store, () => setAssignment(store, shared.id, lisbon, stranger), agentUnknown);
    await expectRefusal(store, () => createNamespace(store, sampleNamespace('new', stranger)), agentUnknown);
    const nowhere = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' } as const;
    await expectRefusal(store, () => setAssignment(store, namespaceIdNamed('x'), lisbon), nowhere);
    expect(await directory.getNamespace(shared.id)).toMatchObject({ epoch: 1 });
    expect(await directory.findNamespace('new' as NamespaceName)).toBeUndefined();
    expect(await directory.countHoldings([lisbon.id, porto.id])).toEqual([2, 1]);
  });

  it('lists namespaces in pages, by name', async () => {
    const store = await open();
    const { directory } = store;
    for (const name of ['others', 'a', 'other-2']) await createNamespace(store, sampleNamespace(name, porto));
    const first = await directory.listNamespaces(undefined, 2);
    expect(first).toMatchObject({ rows: [{ name: 'a' }, { name: other.name }], hasMore: true });
    const rest = await directory.listNamespaces(other.name, 10);
    expect(rest).toMatchObject({ rows: [{ name: 'other-2' }, { name: 'others' }, { name: 'shared' }], hasMore: false });
  });
}
