import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metadataLimits } from '../../../../common/limits.js';
import {
  AgentState,
  type GetAssignmentsResponse,
  type RegisterDeviceRequest,
} from '../../../../proto/gen/drystone/metadata/v1/account.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { eventually } from '../../../support/eventually.js';
import { sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata } from '../../../support/metadata/service.js';

const lisbon = sampleAgent('lisbon');
const laptop: RegisterDeviceRequest = { account: 'ana', publicKey: Buffer.alloc(32, 7), displayName: "Ana's laptop" };

describe('AccountService', () => {
  let metadata: TestMetadata;
  let clock: ManualClock;

  beforeEach(async () => {
    clock = new ManualClock(1_800_000_000_000);
    metadata = await TestMetadata.start({ clock });
  });
  afterEach(() => metadata.stop());

  const register = (change: Partial<RegisterDeviceRequest> = {}) =>
    metadata.calls.account.registerDevice({ ...laptop, ...change });
  const assignments = async (namespaceName = '', account = 'ana') =>
    (await metadata.calls.account.getAssignments({ account, namespaceName })).assignments;

  it('makes devices and accounts known, as often as told', async () => {
    const { deviceId } = await register();
    expect(deviceId).toMatch(/^[0-9a-f]{32}$/);
    expect(await register({ displayName: 'renamed' })).toEqual({ deviceId });
    await expect(register({ account: 'ben' })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'DEVICE_OF_OTHER_ACCOUNT',
    });
  });

  it.each<[field: string, change: Partial<RegisterDeviceRequest>]>([
    ['account', { account: '' }],
    ['account', { account: 'Ana' }],
    ['public_key', { publicKey: Buffer.alloc(33) }],
    ['display_name', { displayName: 'ä'.repeat(33) }],
  ])('refuses a registration with a bad %s: %j', async (field, change) => {
    await expect(register(change)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
  });

  it('answers which namespaces there are, by name, and who holds them', async () => {
    await register();
    expect(await assignments()).toEqual([]);
    await metadata.online(lisbon);
    for (const name of ['zebra', 'apple']) await metadata.calls.admin.createNamespace({ name, replicas: 1 });
    expect((await assignments()).map(({ namespaceName }) => namespaceName)).toEqual(['apple', 'zebra']);
    expect(await assignments('zebra')).toMatchObject([
      {
        namespaceName: 'zebra',
        epoch: 1n,
        candidates: [{ agentId: lisbon.id, premises: 'lisbon', address: lisbon.row.address, state: AgentState.ONLINE }],
      },
    ]);
  });

  it('knows neither accounts nor namespaces that were not made', async () => {
    await expect(assignments()).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'ACCOUNT_UNKNOWN' });
    await register();
    await expect(assignments('nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' });
    await expect(assignments('No Name')).rejects.toMatchObject({ details: { field: 'namespace_name' } });
  });

  it('watches: the whole answer at once, and again when assignments or states change, and only then', async () => {
    await register();
    const line = await metadata.online(lisbon);
    await metadata.calls.admin.createNamespace({ name: 'shared', replicas: 1 });
    const seen: GetAssignmentsResponse[] = [];
    const leave = new AbortController();
    const watching = (async () => {
      const request = { account: 'ana', namespaceName: 'shared' };
      for await (const answer of metadata.calls.account.watchAssignments(request, { signal: leave.signal }))
        seen.push(answer);
    })();
    watching.catch(() => undefined);
    const states = () => seen.map(({ assignments }) => assignments[0]?.candidates[0]?.state);
    await eventually(states).toEqual([AgentState.ONLINE]);

    // A heartbeat that says the same, another namespace, another account: nothing of it concerns this watch.
    line.beat({ freeBytes: 1n });
    await metadata.calls.admin.createNamespace({ name: 'other', replicas: 1 });
    line.beat({ state: AgentState.DRAINING });
    await eventually(states).toEqual([AgentState.ONLINE, AgentState.DRAINING]);

    clock.advance(metadataLimits.offlineAfterMs + 1);
    await eventually(states).toEqual([AgentState.ONLINE, AgentState.DRAINING, AgentState.OFFLINE]);
    expect(await metadata.metric('drystone_metadata_watchers')).toBe(1);

    await metadata.calls.admin.setAssignment({ namespaceName: 'shared', agentIds: [lisbon.id] });
    await eventually(() => seen.at(-1)?.assignments[0]?.epoch).toBe(2n);
    leave.abort();
    await expect(watching).rejects.toMatchObject({ code: 'CANCELLED' });
    await eventually(() => metadata.metric('drystone_metadata_watchers')).toBe(0);
  });
});
