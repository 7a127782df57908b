import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../common/clock.js';
import type { NamespaceId } from '../../../common/ids.js';
import type { RunningProgram } from '../../../common/program/context.js';
import { receiptToMessage } from '../../../common/receipt-message.js';
import { AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import type { BlockClient } from '../../../server/block-client.js';
import {
  agentConfig,
  callBlocks,
  getTexts,
  joiningConfig,
  programContext,
  putBlocks,
  runAgent,
  runMetadata,
  tokensFrom,
} from '../../support/agent/agent-under-test.js';
import { collect, deferred, rejection, streamOf } from '../../support/async-tools.js';
import { BlockFleet } from '../../support/blocks/block-fleet.js';
import { plantAgent } from '../../support/blocks/plant-agent.js';
import { blockOf, NAMESPACE, OTHER_NAMESPACE } from '../../support/blocks/sample-blocks.js';
import { checkHealth } from '../../support/library-services.js';
import type { TestMetadata } from '../../support/metadata/service.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { waitUntil } from '../../support/wait-until.js';

let dataDir: string;

beforeEach(() => {
  dataDir = join(temporaryDirectory(), 'agent');
});

const scrape = async (agent: RunningProgram): Promise<string> =>
  (await fetch(`http://${agent.httpAddress}/metrics`)).text();

/** An agent's directory as it is when it has joined a fleet and holds NAMESPACE, and the fleet. */
async function plantedFleet(): Promise<BlockFleet> {
  const fleet = await BlockFleet.create();
  const held = await fleet.authority.agent();
  await plantAgent(dataDir, { held, tokenKeys: fleet.tokenKeys, namespaces: [NAMESPACE] });
  return fleet;
}

/** A namespace on the one agent, once that is online. */
async function assignedNamespace({ calls }: TestMetadata, name = 'docs'): Promise<NamespaceId> {
  const { namespace } = await waitUntil('the agent is online', () =>
    calls.admin.createNamespace({ name, replicas: 1 }),
  );
  return namespace?.namespaceId as NamespaceId;
}

/** The agent's blocks as the administrator's device sees them. */
function blocksOf(agent: RunningProgram, { administrator }: TestMetadata, dir = dataDir): Promise<BlockClient> {
  return callBlocks(agent, dir, administrator, tokensFrom(administrator));
}

describe('an agent without metadata', () => {
  it('serves what it was told to hold, to whom it was told to believe, and refuses everything else', async () => {
    const fleet = await plantedFleet();
    const agent = await runAgent(agentConfig(dataDir, { http: '127.0.0.1:0' }));
    const device = await fleet.authority.device();
    const transport = fleet.authority.transportOf(device);
    expect((await fetch(`http://${agent.httpAddress}/readyz`)).status).toBe(200);
    const client = await callBlocks(agent, dataDir, { transport }, () => fleet.token(device));
    await putBlocks(client, NAMESPACE, blockOf('stone'));
    expect(await getTexts(client, NAMESPACE, blockOf('stone'))).toEqual(['stone']);
    const unassigned = await rejection(putBlocks(client, OTHER_NAMESPACE, blockOf('x')));
    expect(unassigned).toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_NOT_ASSIGNED' });
    const forger = await BlockFleet.create();
    const forging = await callBlocks(agent, dataDir, { transport }, () => forger.token(device));
    expect(await rejection(putBlocks(forging, NAMESPACE, blockOf('x')))).toMatchObject({ reason: 'TOKEN_INVALID' });
  });

  it('tells everybody how it is', async () => {
    const fleet = await plantedFleet();
    const agent = await runAgent(agentConfig(dataDir));
    const { channelTo } = fleet.authority.transportOf(await fleet.authority.metadata());
    const { identity } = (await import('../../../common/identity/identity-files.js').then(({ loadIdentity }) =>
      loadIdentity(dataDir, 'agent'),
    ))!;
    if (identity.kind !== 'agent') throw new Error('no agent');
    expect(await checkHealth(agent.address, channelTo(identity.agentId))).toBe('SERVING');
  });

  it('has metrics from the start', async () => {
    await plantedFleet();
    const text = await scrape(await runAgent(agentConfig(dataDir, { http: '127.0.0.1:0', freeFloorBytes: 4711 })));
    expect(text).toContain('drystone_agent_heartbeat_age_seconds +Inf');
    expect(text).toContain('drystone_agent_assigned_namespaces 1');
    expect(text).toContain('drystone_agent_revoked 0');
    expect(text).toContain('drystone_agent_token_verifications_total{result="invalid"} 0');
    expect(Number(/^drystone_identity_certificate_seconds_left (.+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
    expect(text).toMatch(/drystone_agent_build_info\{version="\d+\.\d+\.\d+",node_version="v\d+\.\d+\.\d+"\} 1/);
    expect(text).toContain(
      'grpc_server_started_total{grpc_service="drystone.block.v1.BlockService",grpc_method="PutBlocks"} 0',
    );
    expect(text).toMatch(/4711/);
  });

  it('leaves its directory to the next', async () => {
    await plantedFleet();
    const first = await runAgent(agentConfig(dataDir));
    expect(await rejection(runAgent(agentConfig(dataDir)))).toMatchObject({ reason: 'DATA_DIRECTORY_BUSY' });
    await Promise.all([first.stop(), first.stop()]);
    await runAgent(agentConfig(dataDir));
    expect(readdirSync(dataDir)).toEqual(
      expect.arrayContaining(['FORMAT', 'agent.key', 'agent.crt', 'blocks', 'lock']),
    );
  });
});

describe('an agent that cannot start', () => {
  it.each([
    ['metadata', { metadata: 'metadata.example' }],
    ['metadata', { metadata: '0.0.0.0:7420' }],
    ['advertise', { advertise: '192.0.2.1:0' }],
    ['advertise', { advertise: '[::]:7421' }],
    ['advertise', { listen: '0.0.0.0:0' }],
    ['advertise', { listen: '[::]:0' }],
    ['listen', { listen: 'here' }],
  ])('names the setting %s, and touches nothing: %j', async (field, change) => {
    const error = await rejection(runAgent(agentConfig(dataDir, change)));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
    expect(existsSync(dataDir)).toBe(false);
  });

  it.each(['listen', 'http'] as const)(
    'says that the port of %s is in use, and leaves nothing open',
    async (setting) => {
      await plantedFleet();
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as { port: number };
      const failed = await rejection(runAgent(agentConfig(dataDir, { [setting]: `127.0.0.1:${port}` })));
      other.close();
      expect(failed).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PORT_IN_USE' });
      await runAgent(agentConfig(dataDir));
    },
  );

  it('refuses the directory of something else', async () => {
    const foreign = temporaryDirectory();
    writeFileSync(join(foreign, 'FORMAT'), 'drystone metadata 1\n');
    expect(await rejection(runAgent(agentConfig(foreign)))).toMatchObject({ reason: 'DATA_FORMAT_UNKNOWN' });
    expect(readdirSync(foreign)).toEqual(['FORMAT']);
  });
});

describe('an agent and its metadata', () => {
  it('takes a bound address that clients cannot use where it is told another', async () => {
    const metadata = await runMetadata();
    const change = { listen: '0.0.0.0:0', advertise: 'agent.example:7421' };
    await runAgent(await joiningConfig(metadata, dataDir, change));
    const { agents } = await waitUntil('it has registered', async () => {
      const list = await metadata.calls.admin.listAgents({ pageSize: 0, pageToken: '' });
      return list.agents.some(({ address }) => address !== '') && list;
    });
    expect(agents).toMatchObject([{ address: 'agent.example:7421', premises: 'lisbon' }]);
  });

  it('holds what is assigned to it, and its receipts are believed', async () => {
    const metadata = await runMetadata();
    const agent = await runAgent(await joiningConfig(metadata, dataDir, { http: '127.0.0.1:0' }));
    const namespaceId = await assignedNamespace(metadata);
    const client = await blocksOf(agent, metadata);
    const block = blockOf('stone');
    const receipts = await waitUntil('the agent holds the namespace', () => putBlocks(client, namespaceId, block));
    const device = metadata.administrator.identity.deviceId;
    const item = {
      path: 'a.txt',
      version: { entries: [{ deviceId: device, counter: 1n }] },
      authorDeviceId: device,
      content: {
        $case: 'file' as const,
        value: {
          size: 5n,
          modifiedAtMs: 0n,
          executable: false,
          blocks: { hashes: Buffer.from(block.hash), sizes: [5] },
        },
      },
    };
    const request = { namespaceId, items: [item], receipts: receipts.map(receiptToMessage) };
    const answers = await collect(metadata.calls.commit.commit(streamOf(request)));
    expect(answers).toMatchObject([{ cursor: 1n, conflicts: [] }]);
    expect(answers[0]?.missingHashes).toHaveLength(0);
    const text = await scrape(agent);
    expect(text).toContain('drystone_agent_assigned_namespaces 1');
    expect(Number(/^drystone_agent_heartbeat_age_seconds (.+)$/m.exec(text)?.[1])).toBeLessThan(60);
  });

  it('goes on without metadata, through a restart too, and finds it again', async () => {
    const metadataDir = temporaryDirectory();
    const metadata = await runMetadata({ dataDir: metadataDir, engine: 'lmdb' });
    const config = await joiningConfig(metadata, dataDir);
    const first = await runAgent(config);
    const namespaceId = await assignedNamespace(metadata);
    const [before, during, after] = [blockOf('before'), blockOf('during'), blockOf('after')];
    const { administrator } = metadata;
    const authorize = tokensFrom(administrator);
    const firstClient = await callBlocks(first, dataDir, administrator, authorize);
    await waitUntil('the agent holds the namespace', () => putBlocks(firstClient, namespaceId, before));

    await metadata.stop();
    await putBlocks(firstClient, namespaceId, during);
    await first.stop();
    const second = await runAgent(config);
    const client = await callBlocks(second, dataDir, administrator, authorize);
    expect(await getTexts(client, namespaceId, before, during, after)).toEqual(['before', 'during', undefined]);
    expect(await putBlocks(client, namespaceId, after)).toHaveLength(1);

    const again = await runMetadata({ dataDir: metadataDir, engine: 'lmdb', listen: metadata.program.address });
    const other = await assignedNamespace(again, 'other');
    const newClient = await blocksOf(second, again);
    await waitUntil('the agent holds the new namespace', () => putBlocks(newClient, other, after));
    const { agents } = await again.calls.admin.listAgents({ pageSize: 0, pageToken: '' });
    expect(agents).toMatchObject([{ address: second.address, state: AgentState.ONLINE, namespaceCount: 2 }]);
  });

  it('refuses a namespace from the moment that it is assigned elsewhere', async () => {
    const metadata = await runMetadata();
    const agent = await runAgent(await joiningConfig(metadata, dataDir));
    const namespaceId = await assignedNamespace(metadata);
    const client = await blocksOf(agent, metadata);
    const block = blockOf('stone');
    await waitUntil('the agent holds the namespace', () => putBlocks(client, namespaceId, block));
    await runAgent(await joiningConfig(metadata, temporaryDirectory()));
    const { admin } = metadata.calls;
    const second = await waitUntil('the second agent is known', async () => {
      const { agents } = await admin.listAgents({ pageSize: 0, pageToken: '' });
      return agents.find(({ address }) => address !== '' && address !== agent.address);
    });
    await admin.setAssignment({ namespaceName: 'docs', agentIds: [second.agentId] });
    const refused = await waitUntil('the first agent has let go', async () => {
      return getTexts(client, namespaceId, block).then(
        () => undefined,
        (error: unknown) => error,
      );
    });
    expect(refused).toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_NOT_ASSIGNED' });
  });
});

describe('an agent that is revoked', () => {
  it('answers nobody from then on, not after a restart without metadata either', async () => {
    const metadata = await runMetadata();
    const config = await joiningConfig(metadata, dataDir, { http: '127.0.0.1:0' });
    const agent = await runAgent(config);
    const namespaceId = await assignedNamespace(metadata);
    const { administrator, calls } = metadata;
    const authorize = tokensFrom(administrator);
    const client = await callBlocks(agent, dataDir, administrator, authorize);
    const block = blockOf('stone');
    await waitUntil('the agent holds the namespace', () => putBlocks(client, namespaceId, block));
    const { agents } = await calls.admin.listAgents({ pageSize: 0, pageToken: '' });
    await calls.access.revokeAgent({ agentId: agents[0]!.agentId });
    await waitUntil('it has heard of it', async () => (await scrape(agent)).includes('drystone_agent_revoked 1'));
    const refusal = { code: 'UNAVAILABLE', reason: 'IDENTITY_REVOKED' };
    expect(await rejection(getTexts(client, namespaceId, block))).toMatchObject(refusal);
    expect(await rejection(putBlocks(client, namespaceId, blockOf('more')))).toMatchObject(refusal);
    expect((await fetch(`http://${agent.httpAddress}/readyz`)).status).toBe(503);
    expect((await fetch(`http://${agent.httpAddress}/healthz`)).status).toBe(200);
    await metadata.stop();
    await agent.stop();

    const again = await runAgent(config);
    const late = await callBlocks(again, dataDir, administrator, authorize);
    expect(await rejection(getTexts(late, namespaceId, block))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('an agent that is stopped', () => {
  it('says DRAINING, finishes the upload that was begun, and takes no other', async () => {
    const metadata = await runMetadata();
    const config = await joiningConfig(metadata, dataDir, { http: '127.0.0.1:0' });
    const agent = await runAgent(config);
    const namespaceId = await assignedNamespace(metadata);
    const client = await blocksOf(agent, metadata);
    await waitUntil('the agent holds the namespace', () => putBlocks(client, namespaceId, blockOf('earlier')));
    const release = deferred();
    async function* blocks() {
      yield blockOf('first');
      await release.promise;
      yield blockOf('last');
    }
    const receipts = client.put(namespaceId, blocks());
    await receipts.next();
    const stopped = agent.stop();
    const agentState = async (): Promise<AgentState | undefined> =>
      (await metadata.calls.admin.listAgents({ pageSize: 0, pageToken: '' })).agents[0]?.state;
    await waitUntil('metadata knows', async () => (await agentState()) === AgentState.DRAINING);
    expect((await fetch(`http://${agent.httpAddress}/readyz`)).status).toBe(503);
    const late = await rejection(putBlocks(await blocksOf(agent, metadata), namespaceId, blockOf('late')));
    expect(late).toMatchObject({ code: 'UNAVAILABLE' });
    release.resolve();
    expect(await collect(receipts)).toHaveLength(1);
    await stopped;
    await rejection(fetch(`http://${agent.httpAddress}/healthz`));

    const again = await runAgent(config, programContext({ clock: systemClock }));
    const kept = await getTexts(await blocksOf(again, metadata), namespaceId, blockOf('first'), blockOf('last'));
    expect(kept).toEqual(['first', 'last']);
  });
});
