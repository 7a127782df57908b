import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NamespaceId } from '../../../common/ids.js';
import type { RunningProgram } from '../../../common/program/context.js';
import { receiptToMessage } from '../../../common/receipt-message.js';
import { AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import {
  agentConfig,
  blockOf,
  callBlocks,
  callMetadata,
  getTexts,
  programContext,
  putBlocks,
  runAgent,
  runMetadata,
} from '../../support/agent/agent-under-test.js';
import { collect, deferred, rejection, streamOf } from '../../support/async-tools.js';
import { checkHealth } from '../../support/library-services.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { waitUntil } from '../../support/wait-until.js';

const DEVICE = '0123456789abcdef0123456789abcdef';
let dataDir: string;

beforeEach(() => {
  dataDir = join(temporaryDirectory(), 'agent');
});

const scrape = async (agent: RunningProgram): Promise<string> =>
  (await fetch(`http://${agent.httpAddress}/metrics`)).text();

/** A namespace on the one agent, once that holds it. */
async function assignedNamespace(metadata: RunningProgram, name = 'docs'): Promise<NamespaceId> {
  const { admin } = callMetadata(metadata.address);
  const { namespace } = await waitUntil('the agent is online', () => admin.createNamespace({ name, replicas: 1 }));
  return namespace?.namespaceId as NamespaceId;
}

describe('an agent without metadata', () => {
  it('serves all the same, and refuses every namespace', async () => {
    const agent = await runAgent(agentConfig(dataDir, { http: '127.0.0.1:0' }));
    expect(await checkHealth(agent.address)).toBe('SERVING');
    expect((await fetch(`http://${agent.httpAddress}/readyz`)).status).toBe(200);
    const error = await rejection(putBlocks(callBlocks(agent.address), DEVICE as NamespaceId, blockOf('x')));
    expect(error).toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_NOT_ASSIGNED' });
  });

  it('has metrics from the start', async () => {
    const text = await scrape(await runAgent(agentConfig(dataDir, { http: '127.0.0.1:0', freeFloorBytes: 4711 })));
    expect(text).toContain('drystone_agent_heartbeat_age_seconds +Inf');
    expect(text).toContain('drystone_agent_assigned_namespaces 0');
    expect(text).toMatch(/drystone_agent_build_info\{version="\d+\.\d+\.\d+",node_version="v\d+\.\d+\.\d+"\} 1/);
    expect(text).toContain(
      'grpc_server_started_total{grpc_service="drystone.block.v1.BlockService",grpc_method="PutBlocks"} 0',
    );
    expect(text).toMatch(/4711/);
  });

  it('is the same agent after a restart, and leaves its directory to the next', async () => {
    const first = await runAgent(agentConfig(dataDir));
    expect(await rejection(runAgent(agentConfig(dataDir)))).toMatchObject({ reason: 'DATA_DIRECTORY_BUSY' });
    await Promise.all([first.stop(), first.stop()]);
    await runAgent(agentConfig(dataDir));
    expect(readdirSync(dataDir)).toEqual(expect.arrayContaining(['FORMAT', 'agent.key', 'blocks', 'lock']));
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

  it('takes a bound address that clients cannot use where it is told another', async () => {
    const metadata = await runMetadata(temporaryDirectory());
    const change = { metadata: metadata.address, listen: '0.0.0.0:0', advertise: 'agent.example:7421' };
    await runAgent(agentConfig(dataDir, change));
    const { admin } = callMetadata(metadata.address);
    const { agents } = await waitUntil('it has registered', async () => {
      const list = await admin.listAgents({ pageSize: 0, pageToken: '' });
      return list.agents.length > 0 && list;
    });
    expect(agents).toMatchObject([{ address: 'agent.example:7421', premises: 'lisbon' }]);
  });
});

describe('an agent and its metadata', () => {
  it('holds what is assigned to it, and its receipts are believed', async () => {
    const metadata = await runMetadata(temporaryDirectory());
    const agent = await runAgent(agentConfig(dataDir, { metadata: metadata.address, http: '127.0.0.1:0' }));
    const namespaceId = await assignedNamespace(metadata);
    const block = blockOf('stone');
    const receipts = await waitUntil('the agent holds the namespace', () =>
      putBlocks(callBlocks(agent.address), namespaceId, block),
    );
    const item = {
      path: 'a.txt',
      version: { entries: [{ deviceId: DEVICE, counter: 1n }] },
      authorDeviceId: DEVICE,
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
    const answers = await collect(callMetadata(metadata.address).commit.commit(streamOf(request)));
    expect(answers).toMatchObject([{ cursor: 1n, conflicts: [] }]);
    expect(answers[0]?.missingHashes).toHaveLength(0);
    const text = await scrape(agent);
    expect(text).toContain('drystone_agent_assigned_namespaces 1');
    expect(Number(/^drystone_agent_heartbeat_age_seconds (.+)$/m.exec(text)?.[1])).toBeLessThan(60);
  });

  it('goes on without metadata, through a restart too, and finds it again', async () => {
    const metadataDir = temporaryDirectory();
    const metadata = await runMetadata(metadataDir);
    const config = agentConfig(dataDir, { metadata: metadata.address });
    const first = await runAgent(config);
    const namespaceId = await assignedNamespace(metadata);
    const [before, during, after] = [blockOf('before'), blockOf('during'), blockOf('after')];
    await waitUntil('the agent holds the namespace', () => putBlocks(callBlocks(first.address), namespaceId, before));

    await metadata.stop();
    await putBlocks(callBlocks(first.address), namespaceId, during);
    await first.stop();
    const second = await runAgent(config);
    const client = callBlocks(second.address);
    expect(await getTexts(client, namespaceId, before, during, after)).toEqual(['before', 'during', undefined]);
    expect(await putBlocks(client, namespaceId, after)).toHaveLength(1);

    const again = await runMetadata(metadataDir, metadata.address);
    const other = await assignedNamespace(again, 'other');
    await waitUntil('the agent holds the new namespace', () => putBlocks(client, other, after));
    const { agents } = await callMetadata(again.address).admin.listAgents({ pageSize: 0, pageToken: '' });
    expect(agents).toMatchObject([{ address: second.address, state: AgentState.ONLINE, namespaceCount: 2 }]);
  });

  it('refuses a namespace from the moment that it is assigned elsewhere', async () => {
    const metadata = await runMetadata(temporaryDirectory());
    const agent = await runAgent(agentConfig(dataDir, { metadata: metadata.address }));
    const namespaceId = await assignedNamespace(metadata);
    const client = callBlocks(agent.address);
    const block = blockOf('stone');
    await waitUntil('the agent holds the namespace', () => putBlocks(client, namespaceId, block));
    await runAgent(agentConfig(temporaryDirectory(), { metadata: metadata.address }));
    const { admin } = callMetadata(metadata.address);
    const second = await waitUntil('the second agent is known', async () => {
      const { agents } = await admin.listAgents({ pageSize: 0, pageToken: '' });
      return agents.find(({ address }) => address !== agent.address);
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

describe('an agent that is stopped', () => {
  it('says DRAINING, finishes the upload that was begun, and takes no other', async () => {
    const metadata = await runMetadata(temporaryDirectory());
    const agent = await runAgent(agentConfig(dataDir, { metadata: metadata.address, http: '127.0.0.1:0' }));
    const namespaceId = await assignedNamespace(metadata);
    const client = callBlocks(agent.address);
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
    const { admin } = callMetadata(metadata.address);
    const agentState = async (): Promise<AgentState | undefined> =>
      (await admin.listAgents({ pageSize: 0, pageToken: '' })).agents[0]?.state;
    await waitUntil('metadata knows', async () => (await agentState()) === AgentState.DRAINING);
    expect((await fetch(`http://${agent.httpAddress}/readyz`)).status).toBe(503);
    const late = await rejection(putBlocks(callBlocks(agent.address), namespaceId, blockOf('late')));
    expect(late).toMatchObject({ code: 'UNAVAILABLE' });
    release.resolve();
    expect(await collect(receipts)).toHaveLength(1);
    await stopped;
    await rejection(fetch(`http://${agent.httpAddress}/healthz`));

    const again = await runAgent(agentConfig(dataDir), programContext());
    const kept = await getTexts(callBlocks(again.address), namespaceId, blockOf('first'), blockOf('last'));
    expect(kept).toEqual(['first', 'last']);
  });
});
