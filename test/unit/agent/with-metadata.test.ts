import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NamespaceId } from '../../../common/ids.js';
import type { RunningProgram } from '../../../common/program/context.js';
import { receiptToMessage } from '../../../common/receipt-message.js';
import { AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import type { BlockClient } from '../../../server/block-client.js';
import {
  callBlocks,
  getTexts,
  joiningConfig,
  putBlocks,
  runAgent,
  runMetadata,
  tokensFrom,
} from '../../support/agent/agent-under-test.js';
import { collect, deferred, rejection, streamOf } from '../../support/async-tools.js';
import { blockOf } from '../../support/blocks/sample-blocks.js';
import type { TestMetadata } from '../../support/metadata/service.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { waitUntil } from '../../support/wait-until.js';
import { changedBy } from '../../support/feed/wire-change.js';

let dataDir: string;

beforeEach(() => {
  dataDir = join(temporaryDirectory(), 'agent');
});

const scrape = async (agent: RunningProgram): Promise<string> =>
  (await fetch(`http://${agent.httpAddress}/metrics`)).text();

/** A namespace on the one agent, once that is online. */
async function assignedNamespace({ calls }: TestMetadata, name = 'docs'): Promise<NamespaceId> {
  const { namespace } = await waitUntil('the agent is online', () =>
    calls.admin.createNamespace({ name, replicas: 1 }),
  );
  return namespace?.namespaceId as NamespaceId;
}

/** The agent's blocks as the administrator's device sees them. */
function blocksOf(agent: RunningProgram, { administrator }: TestMetadata): Promise<BlockClient> {
  return callBlocks(agent, dataDir, administrator, tokensFrom(administrator));
}

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
      ...changedBy(device),
      path: 'a.txt',
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
    const request = { namespaceId, items: [item], receipts: receipts.map(receiptToMessage), endorsement: undefined };
    const answers = await collect(metadata.calls.feed.push(streamOf(request)));
    expect(answers).toMatchObject([{ cursor: 1n, merged: [] }]);
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

    const again = await runAgent(config);
    const kept = await getTexts(await blocksOf(again, metadata), namespaceId, blockOf('first'), blockOf('last'));
    expect(kept).toEqual(['first', 'last']);
  });
});
