import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import { metadataLimits } from '../../../../common/limits.js';
import { MemberRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import { AgentState, type GetAssignmentsResponse } from '../../../../proto/gen/drystone/metadata/v1/account.js';
import { rejection } from '../../../support/async-tools.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import type { TestCaller } from '../../../support/metadata/callers.js';
import { sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata } from '../../../support/metadata/service.js';

const lisbon = sampleAgent('lisbon');

describe('AccountService', () => {
  let metadata: TestMetadata;
  let clock: ManualClock;
  let ana: TestCaller<DeviceIdentity>;

  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    metadata = await TestMetadata.start({ clock });
    ana = await metadata.asDevice('ana');
  });
  afterEach(() => metadata.stop());

  const assignments = async (namespaceName = '') =>
    (await ana.calls.account.getAssignments({ namespaceName })).assignments;
  /** Makes a namespace of which ana is a member. */
  const create = async (name: string) => {
    await metadata.calls.admin.createNamespace({ name, replicas: 1 });
    await metadata.calls.access.shareNamespace({ namespaceName: name, account: 'ana', role: MemberRole.READER });
  };

  it('answers of which namespaces the account is a member, by name, and who holds them', async () => {
    expect(await assignments()).toEqual([]);
    await metadata.online(lisbon);
    for (const name of ['zebra', 'apple']) await create(name);
    await metadata.calls.admin.createNamespace({ name: 'of-others', replicas: 1 });
    expect((await assignments()).map(({ namespaceName }) => namespaceName)).toEqual(['apple', 'zebra']);
    expect(await assignments('zebra')).toMatchObject([
      {
        namespaceName: 'zebra',
        epoch: 1n,
        candidates: [{ agentId: lisbon.id, premises: 'lisbon', address: lisbon.row.address, state: AgentState.ONLINE }],
      },
    ]);
  });

  it('knows no namespace that was not made, or of which the account is no member, and tells neither from the other', async () => {
    await metadata.online(lisbon);
    await metadata.calls.admin.createNamespace({ name: 'of-others', replicas: 1 });
    const refusals = await Promise.all(['nowhere', 'of-others'].map((name) => rejection(assignments(name))));
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' });
    const [unknown, hidden] = refusals.map((refusal) => (refusal as Error).message);
    expect(hidden).toBe(unknown!.replace('nowhere', 'of-others'));
    await expect(assignments('No Name')).rejects.toMatchObject({ details: { field: 'namespace_name' } });
  });

  it('watches: the whole answer at once, and again when assignments or states change, and only then', async () => {
    const line = await metadata.online(lisbon);
    await create('shared');
    const seen: GetAssignmentsResponse[] = [];
    const leave = new AbortController();
    const watching = (async () => {
      const request = { namespaceName: 'shared' };
      for await (const answer of ana.calls.account.watchAssignments(request, { signal: leave.signal }))
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
