import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import { wireLimits } from '../../../../common/limits.js';
import { AgentState } from '../../../../proto/gen/drystone/metadata/v1/account.js';
import { fileOf, itemAt, sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata } from '../../../support/metadata/service.js';

const lisbon = sampleAgent('lisbon');
const lisbon2 = sampleAgent('lisbon-2');
const porto = sampleAgent('porto', 'porto');

describe('AdminService', () => {
  let metadata: TestMetadata;
  beforeEach(async () => {
    metadata = await TestMetadata.start();
  });
  afterEach(() => metadata.stop());

  const create = async (name: string, replicas = 0) =>
    (await metadata.calls.admin.createNamespace({ name, replicas })).namespace;
  const invalid = (field: string) => ({ code: 'INVALID_ARGUMENT', details: { field } });

  it('places a namespace on agents at different premises, by their free space', async () => {
    await metadata.online(lisbon, { freeBytes: 90_000_000_000n });
    await metadata.online(lisbon2, { freeBytes: 80_000_000_000n });
    await metadata.online(porto, { freeBytes: 10_000_000_000n });
    const created = await create('shared', 2);
    expect(created).toMatchObject({ name: 'shared', replicas: 2, cursor: 0n, itemCount: 0n });
    expect(created?.assignment?.candidates.map(({ agentId }) => agentId)).toEqual([lisbon.id, porto.id]);
    expect((await create('single'))?.assignment?.candidates).toMatchObject([{ agentId: lisbon.id }]);
  });

  it('places nothing on agents that are not online', async () => {
    await metadata.register(lisbon);
    await metadata.online(porto, { state: AgentState.DRAINING });
    const refusal = { code: 'FAILED_PRECONDITION', reason: 'AGENTS_TOO_FEW' };
    await expect(create('shared')).rejects.toMatchObject(refusal);
    await metadata.online(lisbon);
    await expect(create('shared', 2)).rejects.toMatchObject(refusal);
    await create('shared');
  });

  it('gives a name once', async () => {
    await metadata.online(lisbon);
    await create('shared');
    await expect(create('shared')).rejects.toMatchObject({ code: 'ALREADY_EXISTS', reason: 'NAMESPACE_EXISTS' });
  });

  it('says what is in a namespace', async () => {
    const namespace = await metadata.namespace('shared', lisbon);
    const items = [itemAt('f', { ana: 1 }, fileOf('1', '2')), itemAt('d')].map(itemToWire);
    await namespace.commit({ items, receipts: [namespace.receipt(lisbon, '1', '2')] });
    const { namespace: shown } = await metadata.calls.admin.getNamespace({ name: 'shared' });
    expect(shown).toMatchObject({ namespaceId: namespace.id, cursor: 2n, itemCount: 2n, itemBytes: 20n });
    const refused = metadata.calls.admin.getNamespace({ name: 'nowhere' });
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' });
  });

  it('assigns a namespace anew', async () => {
    await metadata.namespace('shared', lisbon);
    await metadata.register(porto);
    const assign = (namespaceName: string, agentIds: readonly string[]) =>
      metadata.calls.admin.setAssignment({ namespaceName, agentIds });
    const { namespace } = await assign('shared', [porto.id, lisbon.id]);
    expect(namespace?.assignment).toMatchObject({
      epoch: 3n,
      candidates: [{ agentId: porto.id }, { agentId: lisbon.id }],
    });
    await expect(assign('nowhere', [porto.id])).rejects.toMatchObject({ reason: 'NAMESPACE_UNKNOWN' });
    await expect(assign('shared', [lisbon2.id])).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'AGENT_UNKNOWN' });
    await expect(assign('shared', [])).rejects.toMatchObject(invalid('agent_ids'));
    await expect(assign('shared', [porto.id, porto.id])).rejects.toMatchObject(invalid('agent_ids'));
    await expect(assign('shared', ['porto'])).rejects.toMatchObject(invalid('agent_ids[0]'));
    await expect(assign('shared', Array<string>(17).fill(porto.id))).rejects.toMatchObject(invalid('agent_ids'));
  });

  it('lists namespaces in pages', async () => {
    await metadata.online(lisbon);
    for (const name of ['c', 'a', 'b', 'd', 'e']) await create(name);
    const names: string[][] = [];
    let pageToken = '';
    do {
      const page = await metadata.calls.admin.listNamespaces({ pageSize: 2, pageToken });
      names.push(page.namespaces.map(({ name }) => name));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(names).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('lists agents in pages, and how many namespaces each holds', async () => {
    await metadata.online(lisbon);
    await create('shared');
    await metadata.register(porto);
    const first = await metadata.calls.admin.listAgents({ pageSize: 1, pageToken: '' });
    const second = await metadata.calls.admin.listAgents({ pageSize: 1, pageToken: first.nextPageToken });
    expect(second.nextPageToken).toBe('');
    const agents = [...first.agents, ...second.agents];
    expect(agents.map(({ agentId }) => agentId)).toEqual([lisbon.id, porto.id].sort());
    expect(agents.find(({ agentId }) => agentId === lisbon.id)).toMatchObject({ namespaceCount: 1 });
    expect(agents.find(({ agentId }) => agentId === porto.id)).toMatchObject({
      namespaceCount: 0,
      state: AgentState.OFFLINE,
      lastHeartbeatAtMs: 0n,
    });
  });

  it('refuses what no list or namespace can be', async () => {
    const { admin } = metadata.calls;
    const pageSize = wireLimits.rowsPerPage + 1;
    await expect(admin.listNamespaces({ pageSize, pageToken: '' })).rejects.toMatchObject(invalid('page_size'));
    await expect(admin.listAgents({ pageSize, pageToken: '' })).rejects.toMatchObject(invalid('page_size'));
    await expect(admin.listNamespaces({ pageSize: 0, pageToken: '?' })).rejects.toMatchObject(invalid('page_token'));
    await expect(admin.listAgents({ pageSize: 0, pageToken: 'x' })).rejects.toMatchObject(invalid('page_token'));
    await expect(create('No Name')).rejects.toMatchObject(invalid('name'));
    await expect(create('shared', wireLimits.replicas + 1)).rejects.toMatchObject(invalid('replicas'));
  });
});
