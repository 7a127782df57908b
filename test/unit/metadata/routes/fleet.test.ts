import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metadataLimits } from '../../../../common/limits.js';
import { AgentState } from '../../../../proto/gen/drystone/metadata/v1/account.js';
import type { HeartbeatRequest, RegisterAgentRequest } from '../../../../proto/gen/drystone/metadata/v1/fleet.js';
import { collect, streamOf } from '../../../support/async-tools.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata } from '../../../support/metadata/service.js';

const START_MS = Date.now();
const lisbon = sampleAgent('lisbon');
const here: RegisterAgentRequest = { address: 'lisbon.example:7411', softwareVersion: '1.0' };

describe('FleetService', () => {
  let metadata: TestMetadata;
  let clock: ManualClock;

  beforeEach(async () => {
    clock = new ManualClock(START_MS);
    metadata = await TestMetadata.start({ clock });
  });
  afterEach(() => metadata.stop());

  const agentsInState = (state: string) => metadata.metric(`drystone_metadata_agents{state="${state}"}`);
  const shown = async () => (await metadata.calls.admin.listAgents({ pageSize: 0, pageToken: '' })).agents[0];

  const fleetCalls = async (agent = lisbon) => (await metadata.asAgent(agent)).calls.fleet;

  it('knows an agent and its premises by its certificate, and says how often to beat', async () => {
    const fleet = await fleetCalls();
    const answer = await fleet.registerAgent(here);
    expect(answer).toEqual({ agentId: lisbon.id, heartbeatIntervalMs: metadataLimits.heartbeatIntervalMs });
    await fleet.registerAgent({ ...here, address: '[::1]:1' });
    expect(await shown()).toMatchObject({ agentId: lisbon.id, premises: 'lisbon', address: '[::1]:1' });
  });

  it.each<[field: string, change: Partial<RegisterAgentRequest>]>([
    ['address', { address: 'example' }],
    ['address', { address: 'example:0' }],
    ['software_version', { softwareVersion: 'x'.repeat(65) }],
    ['software_version', { softwareVersion: 'a\nb' }],
  ])('refuses a registration with a bad %s: %j', async (field, change) => {
    const refused = (await fleetCalls()).registerAgent({ ...here, ...change });
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
  });

  it('tells an agent its assignments at once, and whenever they change', async () => {
    const line = await metadata.online(lisbon);
    expect(line.assigned).toEqual([]);
    await metadata.calls.admin.createNamespace({ name: 'shared', replicas: 1 });
    await eventually(() => line.assigned).toEqual(['shared']);
    const porto = sampleAgent('porto');
    await metadata.register(porto);
    await metadata.calls.admin.setAssignment({ namespaceName: 'shared', agentIds: [porto.id] });
    await eventually(() => line.assigned).toEqual([]);
    line.hangUp();
    expect(await line.ended).toBeUndefined();
  });

  it('shows what an agent reports', async () => {
    const line = await metadata.online(lisbon, { freeBytes: 5n, totalBytes: 9n, freeFloorBytes: 2n, blockCount: 7n });
    expect(await shown()).toMatchObject({
      state: AgentState.ONLINE,
      freeBytes: 5n,
      totalBytes: 9n,
      freeFloorBytes: 2n,
      blockCount: 7n,
      lastHeartbeatAtMs: BigInt(START_MS),
    });
    line.beat({ state: AgentState.DRAINING });
    await eventually(async () => (await shown())?.state).toBe(AgentState.DRAINING);
    expect(await agentsInState('draining')).toBe(1);
  });

  it('counts agents by state, those that were never heard as offline', async () => {
    expect([await agentsInState('online'), await agentsInState('draining'), await agentsInState('offline')]).toEqual([
      0, 0, 0,
    ]);
    await metadata.register(sampleAgent('silent'));
    await metadata.online(lisbon);
    expect([await agentsInState('online'), await agentsInState('offline')]).toEqual([1, 1]);
    clock.advance(metadataLimits.offlineAfterMs + 1);
    expect([await agentsInState('online'), await agentsInState('offline')]).toEqual([0, 2]);
  });

  it('ends the first stream of an agent when a second begins', async () => {
    const first = await metadata.online(lisbon);
    const second = await metadata.online(lisbon);
    expect(await first.ended).toMatchObject({ code: 'ABORTED', reason: 'HEARTBEAT_REPLACED' });
    second.beat({ state: AgentState.DRAINING });
    await eventually(async () => (await shown())?.state).toBe(AgentState.DRAINING);
  });

  it('asks an agent that has not said where it is reached to register', async () => {
    const call = (await fleetCalls()).heartbeat(streamOf(filled({ agentId: lisbon.id })));
    await expect(collect(call)).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'AGENT_UNKNOWN' });
  });

  it('lets no agent speak for another', async () => {
    await metadata.register(sampleAgent('porto'));
    const fleet = await fleetCalls();
    await fleet.registerAgent(here);
    const call = fleet.heartbeat(streamOf(filled({ agentId: sampleAgent('porto').id })));
    await expect(collect(call)).rejects.toMatchObject({ code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' });
  });

  it.each<[what: string, field: string, requests: Partial<HeartbeatRequest>[]]>([
    ['no agent', 'agent_id', [{}]],
    ['another agent', 'agent_id', [{ agentId: lisbon.id }, { agentId: sampleAgent('porto').id }]],
    ['no state', 'state', [{ agentId: lisbon.id, state: AgentState.UNSPECIFIED }]],
    ['the state OFFLINE', 'state', [{ agentId: lisbon.id }, { state: AgentState.OFFLINE }]],
    ['more bytes than there can be', 'total_bytes', [{ agentId: lisbon.id }, { totalBytes: 2n ** 64n - 1n }]],
  ])('refuses heartbeats with %s', async (_what, field, requests) => {
    await metadata.register(lisbon);
    const call = (await fleetCalls()).heartbeat(streamOf(...requests.map(filled)));
    await expect(collect(call)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
  });

  it('ends a stream of no heartbeats', async () => {
    expect(await collect((await fleetCalls()).heartbeat(streamOf()))).toEqual([]);
  });

  it('tells agents when it drains', async () => {
    const line = await metadata.online(lisbon);
    await metadata.program.stop();
    expect(await line.ended).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
  });
});

function filled(request: Partial<HeartbeatRequest>): HeartbeatRequest {
  return {
    agentId: '',
    state: AgentState.ONLINE,
    freeBytes: 0n,
    totalBytes: 0n,
    freeFloorBytes: 0n,
    blockCount: 0n,
    blockBytes: 0n,
    ...request,
  };
}
