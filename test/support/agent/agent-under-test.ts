import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { startAgent } from '../../../agent/program.js';
import type { AgentConfig } from '../../../agent/config.js';
import { systemClock } from '../../../common/clock.js';
import { loadIdentity } from '../../../common/identity/identity-files.js';
import type { DeviceIdentity } from '../../../common/identity/identity.js';
import type { NamespaceId } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import type { ServerContext, RunningProgram } from '../../../common/program/context.js';
import type { Receipt } from '../../../common/receipt.js';
import { systemRandom } from '../../../common/random.js';
import { openChannel } from '../../../common/rpc/client.js';
import { connectBlockServer, type Authorize, type Block, type BlockClient } from '../../../server/block-client.js';
import { collect, streamOf } from '../async-tools.js';
import { agentIdOf } from '../blocks/block-fleet.js';
import type { TestCaller } from '../metadata/callers.js';
import { TestMetadata, type MetadataSetup } from '../metadata/service.js';

export function programContext(change: Partial<ServerContext> = {}): ServerContext {
  return { clock: systemClock, random: systemRandom, logger: silentLogger(), registry: new Registry(), ...change };
}

/** The configuration of an agent on a free port; it has no token, and nobody is at its metadata's address. */
export function agentConfig(dataDir: string, change: Partial<AgentConfig> = {}): AgentConfig {
  return {
    dataDir,
    metadata: '127.0.0.1:1',
    join: undefined,
    premises: undefined,
    listen: '127.0.0.1:0',
    advertise: undefined,
    http: undefined,
    freeFloorBytes: 0,
    ...change,
  };
}

/** The configuration of an agent that can join this fleet at `lisbon`. */
export async function joiningConfig(
  metadata: TestMetadata,
  dataDir: string,
  change: Partial<AgentConfig> = {},
): Promise<AgentConfig> {
  const join = await agentToken(metadata, 'lisbon');
  return agentConfig(dataDir, { metadata: metadata.program.address, join, ...change });
}

export async function agentToken({ calls }: TestMetadata, premises: string): Promise<string> {
  return (await calls.access.issueAgentToken({ premises, validSeconds: 0 })).token;
}

/** An agent that is stopped when the running test is over. */
export async function runAgent(config: AgentConfig, context = programContext()): Promise<RunningProgram> {
  const agent = await startAgent(config, context);
  onTestFinished(() => agent.stop());
  return agent;
}

/** A metadata service that is stopped when the running test is over. */
export async function runMetadata(setup: MetadataSetup = {}): Promise<TestMetadata> {
  const metadata = await TestMetadata.start(setup);
  onTestFinished(() => metadata.stop());
  return metadata;
}

/** The block service of the agent whose data is in `dataDir`, called by a device with the access tokens that it gets. */
export async function callBlocks(
  agent: RunningProgram,
  dataDir: string,
  { transport }: Pick<TestCaller, 'transport'>,
  authorize: Authorize,
): Promise<BlockClient> {
  const held = await loadIdentity(dataDir, 'agent');
  const channel = openChannel(agent.address, transport.channelTo(agentIdOf(held!)));
  onTestFinished(() => channel.close());
  return connectBlockServer(channel, systemClock, authorize);
}

/** Asks metadata for access tokens, and remembers the last of each namespace: metadata may be away later. */
export function tokensFrom({ calls }: TestCaller<DeviceIdentity>): Authorize {
  const tokens = new Map<NamespaceId, string>();
  return async (namespaceId) => {
    const token =
      tokens.get(namespaceId) ?? (await calls.account.issueAccessToken({ namespaceIds: [namespaceId] })).accessToken;
    tokens.set(namespaceId, token);
    return token;
  };
}

export function putBlocks(client: BlockClient, namespaceId: NamespaceId, ...blocks: Block[]): Promise<Receipt[]> {
  return collect(client.put(namespaceId, streamOf(...blocks)));
}

/** The texts of blocks as the agent gives them; undefined for those that it has not. */
export async function getTexts(
  client: BlockClient,
  namespaceId: NamespaceId,
  ...blocks: Block[]
): Promise<(string | undefined)[]> {
  const hashes = Buffer.concat(blocks.map(({ hash }) => hash));
  return (await collect(client.get(namespaceId, streamOf(hashes)))).map(({ data }) => data?.toString());
}
