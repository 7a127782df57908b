import { describe, expect, it } from 'vitest';
import { agentDocument, formatAgents } from '../../../../cli/fleet/agent-view.js';
import { totalsOf, type FleetStatus } from '../../../../cli/fleet/fleet-status.js';
import { formatNamespace, formatNamespaces, namespaceDocument } from '../../../../cli/fleet/namespace-view.js';
import { formatStatus } from '../../../../cli/fleet/status-view.js';
import type { Cursor, NamespaceId } from '../../../../common/ids.js';
import { AgentState } from '../../../../proto/gen/drystone/metadata/v1/account.js';
import type { Agent, Namespace } from '../../../../proto/gen/drystone/metadata/v1/admin.js';

const GiB = 1024n ** 3n;

function agent(premises: string, state: AgentState, freeBytes: bigint): Agent {
  return {
    agentId: premises.padEnd(32, '0'),
    premises,
    address: `${premises}:7421`,
    state,
    softwareVersion: '1.2.3',
    freeBytes,
    totalBytes: 10n * GiB,
    freeFloorBytes: GiB,
    blockCount: 1234n,
    blockBytes: 2n * GiB,
    lastHeartbeatAtMs: 8_000n,
    namespaceCount: 1,
  };
}

const lisbon = agent('lisbon', AgentState.ONLINE, 5n * GiB);
const porto = agent('porto', AgentState.ONLINE, GiB);
const faro = { ...agent('faro', AgentState.OFFLINE, 3n * GiB), lastHeartbeatAtMs: 0n };
const documents = [lisbon, porto, faro].map(agentDocument);

const namespace: Namespace = {
  namespaceId: 'a'.repeat(32),
  name: 'docs',
  replicas: 2,
  assignment: { namespaceId: 'a'.repeat(32), namespaceName: 'docs', epoch: 3n, candidates: [lisbon, faro] },
  cursor: 1500n,
  itemCount: 1200n,
  itemBytes: 3n * GiB,
  createdAtMs: 1_767_225_599_000n,
};

describe('agents', () => {
  it('are a table', () => {
    const [heading, first, second, last] = formatAgents(documents, 10_000).split('\n');
    expect(heading).toMatch(/^AGENT +PREMISES +STATE +ADDRESS +FREE +BLOCKS +STORED +NAMESPACES +HEARTBEAT$/);
    expect(first).toMatch(/^lisbon0+ +lisbon +online +lisbon:7421 +5.0 GiB +1,234 +2.0 GiB +1 +2.0 s ago$/);
    expect(second, 'its free space has reached its floor').toMatch(
      /^porto0+ +porto +online, full +porto:7421 +1.0 GiB /,
    );
    expect(last).toMatch(/ offline .* none$/);
    expect(documents.map(({ full }) => full)).toEqual([false, true, false]);
    expect(formatAgents([], 0)).toContain('drystone agent serve');
  });

  it('are counted by state, with the space of those that are online', () => {
    expect(totalsOf(documents)).toEqual({
      online: 2,
      draining: 0,
      offline: 1,
      unheard: 1,
      freeBytes: 6 * 1024 ** 3,
      totalBytes: 20 * 1024 ** 3,
      fullPremises: ['porto'],
    });
  });
});

describe('namespaces', () => {
  const document = namespaceDocument(namespace);

  it('are documents of plain numbers', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual({
      namespaceId: namespace.namespaceId,
      name: 'docs',
      replicas: 2,
      epoch: 3,
      agents: [
        { agentId: lisbon.agentId, premises: 'lisbon', address: 'lisbon:7421', state: 'online' },
        { agentId: faro.agentId, premises: 'faro', address: 'faro:7421', state: 'offline' },
      ],
      cursor: 1500,
      itemCount: 1200,
      itemBytes: 3 * 1024 ** 3,
      createdAtMs: 1_767_225_599_000,
    });
  });

  it('are a table, and each a page', () => {
    expect(formatNamespaces([document]).split('\n')[1]).toMatch(/^docs +1,200 +3.0 GiB +1,500 +2 +lisbon, faro$/);
    expect(formatNamespaces([])).toContain('drystone namespace create');
    expect(formatNamespace(document)).toContain(
      '2 asked for, 2 assigned, epoch 3; each upload goes to one of them, and is not copied to the others yet\n',
    );
    const alone = { ...document, agents: document.agents.slice(1) };
    expect(formatNamespace(alone)).toContain('2 asked for, 1 assigned, epoch 3\n');
    expect(formatNamespace(document)).toContain('2025-12-31 23:59:59 UTC');
  });

  it('that an answer leaves out are an error', () => {
    expect(() => namespaceDocument(undefined)).toThrow('left the namespace out of its answer');
  });
});

describe('a status', () => {
  const folder = {
    root: '/home/docs',
    namespaceId: namespace.namespaceId as NamespaceId,
    cursor: 1498 as Cursor,
    mode: undefined,
    itemsProvisional: 0,
    syncedBy: undefined,
    namespace: 'docs',
    conflicts: 0,
    behind: 2,
  };
  const nowMs = 1_767_225_599_000;
  const device = { account: 'ana', deviceId: 'd'.repeat(32), certificateExpiresAtMs: nowMs + 20.5 * 24 * 3600 * 1000 };
  const reachable: FleetStatus = {
    device,
    metadata: { address: 'meta:7420', reachable: true, answeredInMs: 3 },
    agents: totalsOf(documents),
    namespaces: [namespaceDocument(namespace)],
    folder,
  };

  it('says in a few lines what is well and what is not', () => {
    expect(formatStatus(reachable, nowMs).split('\n')).toEqual([
      `device      ${'d'.repeat(32)} of ana; its certificate has 20 days left`,
      'metadata    meta:7420 answers (3 ms)',
      'agents      2 online, 1 NOT HEARD FROM since metadata started; 6.0 GiB free of 20.0 GiB; FULL at porto',
      'namespaces  1, with 1,200 items, 3.0 GiB',
      "folder      /home/docs is 'docs', 2 changes behind; not being synced now",
    ]);
  });

  it('tells agents that are offline from those that metadata, just started, has not heard from', () => {
    const agents = (...some: Agent[]): string | undefined => {
      const text = formatStatus({ ...reachable, agents: totalsOf(some.map(agentDocument)) }, nowMs);
      return /^agents +(.*)$/m.exec(text)?.[1];
    };
    const gone = { ...faro, lastHeartbeatAtMs: 8_000n };
    const silent = { ...faro, freeBytes: 0n, totalBytes: 0n };
    expect(agents(lisbon, gone)).toBe('1 online, 1 OFFLINE; 5.0 GiB free of 10.0 GiB');
    expect(agents(lisbon, gone, silent)).toBe(
      '1 online, 1 OFFLINE, 1 NOT HEARD FROM since metadata started; 5.0 GiB free of 10.0 GiB',
    );
    expect(agents(silent, silent)).toBe('0 online, 2 NOT HEARD FROM since metadata started');
    expect(agents()).toBe('0 online');
  });

  it('counts the open conflicts of a folder, where there are any', () => {
    const text = formatStatus({ ...reachable, folder: { ...folder, conflicts: 2 } }, nowMs);
    expect(text).toContain(
      "2 changes behind; not being synced now; 2 OPEN CONFLICTS, see 'drystone conflicts /home/docs'",
    );
  });

  it('says what it knows where metadata is away', () => {
    const metadata = { address: 'meta:7420', reachable: false, problem: 'nobody there' } as const;
    const away = { device, metadata, agents: undefined, namespaces: undefined };
    const unknown = { ...folder, namespace: undefined, behind: undefined, syncedBy: 42 };
    expect(
      formatStatus({ ...away, folder: unknown }, nowMs)
        .split('\n')
        .slice(1),
    ).toEqual([
      'metadata  NOT REACHABLE: nobody there',
      `folder    /home/docs is '${namespace.namespaceId}'; being synced by process 42`,
    ]);
    expect(formatStatus({ ...away, folder: undefined }, nowMs, { path: '/home/dosc', exists: true })).toContain(
      'folder    /home/dosc is NO SYNCED FOLDER, and lies in none',
    );
    expect(formatStatus({ ...away, folder: undefined }, nowMs, { path: '/home/dosc', exists: false })).toContain(
      'folder    /home/dosc DOES NOT EXIST',
    );
    const standIn = { ...unknown, mode: 'agent', itemsProvisional: 1 } as const;
    expect(formatStatus({ ...away, folder: standIn }, nowMs)).toContain(
      'being synced by process 42 (metadata is away, an agent stands in); 1 item waits for metadata',
    );
    const fresh = { ...folder, namespace: undefined, namespaceId: undefined, behind: undefined };
    expect(formatStatus({ ...away, folder: fresh }, nowMs)).toContain(
      '/home/docs has never been synced; not being synced now',
    );
    expect(formatStatus({ ...away, device: undefined, folder: undefined }, nowMs).split('\n')).toEqual([
      "device    NOT LOGGED IN: get a token and run 'drystone login'",
      'metadata  nobody there',
    ]);
  });

  it('says that a certificate has ended', () => {
    expect(formatStatus(reachable, device.certificateExpiresAtMs + 1)).toContain('its certificate HAS ENDED');
  });
});
