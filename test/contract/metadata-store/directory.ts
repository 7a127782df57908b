import { describe, expect, it } from 'vitest';
import type { AccountName, NamespaceName, PremisesName } from '../../../common/ids.js';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import type { DeviceRow } from '../../../metadata/store/rows.js';
import { lisbon, other, porto, shared } from '../../support/metadata/furnished-store.js';
import { deviceNamed, namespaceIdNamed, sampleAgent, sampleNamespace } from '../../support/metadata/samples.js';

const ana = 'ana' as AccountName;
const ben = 'ben' as AccountName;

function device(account: AccountName, displayName = 'laptop'): DeviceRow {
  return { id: deviceNamed('laptop'), account, publicKey: Buffer.alloc(32, 1), displayName };
}

/** What a store promises of accounts, agents and namespaces. */
export function describeDirectory(open: (content?: 'empty') => Promise<MetadataStore>): void {
  describe('directory', () => {
    describeAccounts(open);
    describeAgents(open);
    describeNamespaces(open);
  });
}

function describeAccounts(open: (content?: 'empty') => Promise<MetadataStore>): void {
  it('makes an account with its first device, as often as told', async () => {
    const { directory } = await open();
    expect(await directory.hasAccount(ana)).toBe(false);
    await directory.putDevice(device(ana));
    await directory.putDevice(device(ana, 'renamed'));
    expect(await directory.hasAccount(ana)).toBe(true);
  });

  it('leaves a device to the account that has it', async () => {
    const { directory } = await open();
    await directory.putDevice(device(ana));
    const refusal = { code: 'ALREADY_EXISTS', reason: 'DEVICE_OF_OTHER_ACCOUNT' };
    await expect(directory.putDevice(device(ben))).rejects.toMatchObject(refusal);
    expect(await directory.hasAccount(ben)).toBe(false);
  });
}

function describeAgents(open: (content?: 'empty') => Promise<MetadataStore>): void {
  it('keeps agents as they registered last', async () => {
    const { directory } = await open('empty');
    await directory.putAgent(lisbon.row);
    const moved = { ...lisbon.row, premises: 'faro' as PremisesName, address: '[2001:db8::1]:7411' };
    await directory.putAgent(moved);
    expect(await directory.getAgents([porto.id, lisbon.id])).toEqual([undefined, moved]);
  });

  it('lists agents in pages, by id', async () => {
    const { directory } = await open('empty');
    const agents = ['a', 'b', 'c', 'd', 'e'].map((name) => sampleAgent(name).row);
    for (const row of agents) await directory.putAgent(row);
    const sorted = [...agents].sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(await directory.listAgents(undefined, 3)).toEqual({ rows: sorted.slice(0, 3), hasMore: true });
    expect(await directory.listAgents(sorted[2]!.id, 2)).toEqual({ rows: sorted.slice(3), hasMore: false });
    expect(await directory.listAgents(sorted[4]!.id, 2)).toEqual({ rows: [], hasMore: false });
  });

  it('knows which namespaces an agent holds', async () => {
    const { directory } = await open();
    const namesOf = async (agent: typeof lisbon) => (await directory.listHoldings(agent.id)).map(({ name }) => name);
    expect((await namesOf(lisbon)).sort()).toEqual(['other', 'shared']);
    expect(await directory.countHoldings([porto.id, lisbon.id, sampleAgent('stranger').id])).toEqual([1, 2, 0]);
    await directory.setAssignment(shared.id, [porto.id]);
    expect(await namesOf(lisbon)).toEqual(['other']);
    expect(await directory.countHoldings([porto.id, lisbon.id])).toEqual([1, 1]);
  });
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

  it('gives a name once, also to two who ask at the same time', async () => {
    const { directory } = await open();
    const asks = ['x', 'y'].map((id) => ({ ...sampleNamespace('wanted', lisbon), id: namespaceIdNamed(id) }));
    const outcomes = await Promise.allSettled(asks.map((namespace) => directory.createNamespace(namespace)));
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: { reason: 'NAMESPACE_EXISTS' } }]);
    expect((await directory.findNamespace('wanted' as NamespaceName))?.id).toBe(namespaceIdNamed('x'));
  });

  it('raises the epoch with every assignment', async () => {
    const { directory } = await open();
    expect(await directory.setAssignment(shared.id, [porto.id])).toMatchObject({ epoch: 2, agents: [porto.id] });
    expect(await directory.setAssignment(shared.id, [porto.id])).toMatchObject({ epoch: 3 });
    expect(await directory.getNamespace(shared.id)).toMatchObject({ epoch: 3, agents: [porto.id] });
  });

  it('assigns known namespaces to known agents only, or changes nothing', async () => {
    const { directory } = await open();
    const stranger = sampleAgent('stranger');
    const unknownAgent = { code: 'NOT_FOUND', reason: 'AGENT_UNKNOWN' };
    await expect(directory.setAssignment(shared.id, [lisbon.id, stranger.id])).rejects.toMatchObject(unknownAgent);
    await expect(directory.createNamespace(sampleNamespace('new', stranger))).rejects.toMatchObject(unknownAgent);
    const nowhere = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' };
    await expect(directory.setAssignment(namespaceIdNamed('x'), [lisbon.id])).rejects.toMatchObject(nowhere);
    expect(await directory.getNamespace(shared.id)).toMatchObject({ epoch: 1 });
    expect(await directory.findNamespace('new' as NamespaceName)).toBeUndefined();
    expect(await directory.countHoldings([lisbon.id, porto.id])).toEqual([2, 1]);
  });

  it('lists namespaces in pages, by name', async () => {
    const { directory } = await open();
    for (const name of ['others', 'a', 'other-2']) await directory.createNamespace(sampleNamespace(name, porto));
    const first = await directory.listNamespaces(undefined, 2);
    expect(first).toMatchObject({ rows: [{ name: 'a' }, { name: other.name }], hasMore: true });
    const rest = await directory.listNamespaces(other.name, 10);
    expect(rest).toMatchObject({ rows: [{ name: 'other-2' }, { name: 'others' }, { name: 'shared' }], hasMore: false });
  });
}
