import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { startAgent } from '../../../agent/program.js';
import type { AgentConfig } from '../../../agent/config.js';
import { hashBlockSync } from '../../../common/block-hash.js';
import { systemClock } from '../../../common/clock.js';
import type { NamespaceId, PremisesName } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import type { ProgramContext, RunningProgram } from '../../../common/program/context.js';
import type { Receipt } from '../../../common/receipt.js';
import { systemRandom } from '../../../common/random.js';
import { openChannel } from '../../../common/rpc/client.js';
import { plaintextCredentials } from '../../../common/rpc/credentials.js';
import { startMetadata } from '../../../metadata/program.js';
import { connectBlockServer, type Block, type BlockClient } from '../../../server/block-client.js';
import { collect, streamOf } from '../async-tools.js';
import { metadataCalls, type MetadataCalls } from '../metadata/service.js';

export function programContext(): ProgramContext {
  return {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger(),
    registry: new Registry(),
    credentials: plaintextCredentials(),
  };
}

/** The configuration of an agent on a free port; nobody is at its metadata's address. */
export function agentConfig(dataDir: string, change: Partial<AgentConfig> = {}): AgentConfig {
  return {
    dataDir,
    metadata: '127.0.0.1:1',
    premises: 'lisbon' as PremisesName,
    listen: '127.0.0.1:0',
    advertise: undefined,
    http: undefined,
    freeFloorBytes: 0,
    ...change,
  };
}

/** An agent that is stopped when the running test is over. */
export async function runAgent(config: AgentConfig, context = programContext()): Promise<RunningProgram> {
  const agent = await startAgent(config, context);
  onTestFinished(() => agent.stop());
  return agent;
}

/** A metadata service, kept on disk, that is stopped when the running test is over. */
export async function runMetadata(dataDir: string, listen = '127.0.0.1:0'): Promise<RunningProgram> {
  const metadata = await startMetadata({ dataDir, engine: 'lmdb', listen, http: undefined }, programContext());
  onTestFinished(() => metadata.stop());
  return metadata;
}

export function callMetadata(address: string): MetadataCalls {
  const channel = openChannel(address, plaintextCredentials().channel);
  onTestFinished(() => channel.close());
  return metadataCalls(channel);
}

export function callBlocks(address: string): BlockClient {
  const channel = openChannel(address, plaintextCredentials().channel);
  onTestFinished(() => channel.close());
  return connectBlockServer(channel);
}

export function blockOf(text: string): Block {
  const data = Buffer.from(text);
  return { hash: hashBlockSync(data), data };
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
