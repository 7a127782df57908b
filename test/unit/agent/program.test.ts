import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadIdentity } from '../../../common/identity/identity-files.js';
import type { RunningProgram } from '../../../common/program/context.js';
import { agentConfig, callBlocks, getTexts, putBlocks, runAgent } from '../../support/agent/agent-under-test.js';
import { rejection } from '../../support/async-tools.js';
import { agentIdOf, BlockFleet } from '../../support/blocks/block-fleet.js';
import { plantAgent } from '../../support/blocks/plant-agent.js';
import { blockOf, NAMESPACE, OTHER_NAMESPACE } from '../../support/blocks/sample-blocks.js';
import { checkHealth } from '../../support/library-services.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

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

  it('tells whoever has a certificate of the fleet how it is', async () => {
    const fleet = await plantedFleet();
    const agent = await runAgent(agentConfig(dataDir));
    const { channelTo } = fleet.authority.transportOf(await fleet.authority.metadata());
    const agentId = agentIdOf((await loadIdentity(dataDir, 'agent'))!);
    expect(await checkHealth(agent.address, channelTo(agentId))).toBe('SERVING');
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
