import { beforeEach, describe, expect, it } from 'vitest';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import type { NamespaceName, PremisesName } from '../../../../common/ids.js';
import { wireLimits } from '../../../../common/limits.js';
import { choosePlacement } from '../../../../metadata/directory/placement.js';
import { Namespaces } from '../../../../metadata/directory/namespaces.js';
import { Fleet } from '../../../../metadata/fleet/fleet.js';
import type { MetadataStore } from '../../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { ana, createAccount, enrollAgent, enrollDevice } from '../../../support/metadata/furnished-store.js';
import { auditEntry, sampleAgent, SAMPLE_TIME_MS } from '../../../support/metadata/samples.js';
import { seededRandom } from '../../../support/seeded-random.js';

const agents = Array.from({ length: wireLimits.replicas }, (_, index) => sampleAgent(`agent-${index}`));
const shared = 'shared' as NamespaceName;

describe('Namespaces', () => {
  let store: MetadataStore;
  let namespaces: Namespaces;
  let caller: DeviceIdentity;

  beforeEach(async () => {
    store = createMemoryStore();
    await createAccount(store, ana, 'administrator');
    caller = { kind: 'device', deviceId: (await enrollDevice(store, ana, 'desk')).id, account: ana };
    const clock = new ManualClock(SAMPLE_TIME_MS);
    const fleet = new Fleet(clock, () => undefined);
    for (const agent of agents) {
      await enrollAgent(store, agent);
      const capacity = { freeBytes: 10, totalBytes: 20, freeFloorBytes: 1, blockCount: 0, blockBytes: 0 };
      fleet.join(agent.id).report({ state: 'online', ...capacity });
    }
    namespaces = new Namespaces({ store, fleet, clock, random: seededRandom(1) });
  });

  it('places nothing on an agent that was revoked, though it still counts as online', async () => {
    const [revoked] = agents;
    await store.directory.revokeAgent(revoked!.id, SAMPLE_TIME_MS, auditEntry('agent.revoke', revoked!.id));
    const everywhere = namespaces.create(caller, shared, agents.length);
    await expect(everywhere).rejects.toMatchObject({ reason: 'AGENTS_TOO_FEW' });
    const { agents: chosen } = await namespaces.create(caller, shared, agents.length - 1);
    expect(chosen).not.toContain(revoked!.id);
  });

  it.each([
    [1, 0, '1 agent is asked for and none is online; start more'],
    [2, 1, '2 agents are asked for and 1 is online; start more, or ask for fewer'],
    [4, 3, '4 agents are asked for and 3 are online; start more, or ask for fewer'],
  ])('says of %i agents that are asked for how many are there: %i', (asked, there, message) => {
    const candidates = agents
      .slice(0, there)
      .map(({ id }) => ({ id, premises: 'lisbon' as PremisesName, freeBytes: 1 }));
    expect(() => choosePlacement(candidates, asked)).toThrow(expect.objectContaining({ message }));
  });

  it('says in the audit log which agents hold a namespace, however many, within the limits of its facts', async () => {
    const row = await namespaces.create(caller, shared, agents.length);
    await namespaces.assign(caller, row, agents.map(({ id }) => id).reverse());
    const query = { after: 0, maxEntries: 100, namespace: shared, account: undefined };
    const { entries } = await store.audit.list(query);
    expect(entries.map(({ action }) => action)).toEqual(['namespace.create', 'namespace.assign']);
    for (const { facts } of entries) {
      expect(Object.keys(facts).length).toBeLessThanOrEqual(wireLimits.errorFacts);
      for (const fact of Object.values(facts)) expect(fact.length).toBeLessThanOrEqual(wireLimits.errorFactBytes);
      for (const { id } of agents) expect(Object.values(facts).join(' ')).toContain(id);
    }
  });
});
