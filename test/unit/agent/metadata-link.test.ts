import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AssignedNamespaces } from '../../../agent/assigned-namespaces.js';
import { MetadataLink } from '../../../agent/metadata-link.js';
import { DrystoneError } from '../../../common/errors.js';
import { idOfPublicKey, type AgentId, type NamespaceId, type PremisesName } from '../../../common/ids.js';
import { agentLimits, retryLimits } from '../../../common/limits.js';
import { silentLogger } from '../../../common/logging.js';
import { rawPublicKey } from '../../../common/receipt.js';
import { AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import { FakeFleet } from '../../support/agent/fake-fleet.js';
import { eventually } from '../../support/eventually.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const raw = rawPublicKey(publicKey);
const key = { id: idOfPublicKey<AgentId>(raw), privateKey, publicKey: raw };
const NAMESPACE = '00112233445566778899aabbccddeeff' as NamespaceId;
const OTHER = 'ffeeddccbbaa99887766554433221100' as NamespaceId;
const away = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'nobody answers');
const capacity = { freeBytes: 5000, totalBytes: 9000, freeFloorBytes: 100, blockCount: 7, blockBytes: 700 };

let fleet: FakeFleet;
let clock: ManualClock;
let assigned: AssignedNamespaces;
let link: MetadataLink;

beforeEach(async () => {
  fleet = new FakeFleet();
  clock = new ManualClock();
  assigned = await AssignedNamespaces.load(join(temporaryDirectory(), 'assignments.json'));
  link = new MetadataLink({
    fleet,
    key,
    premises: 'lisbon' as PremisesName,
    address: '192.0.2.1:7421',
    assigned,
    readCapacity: async () => capacity,
    clock,
    random: { bytes: (count) => Buffer.alloc(count), fraction: () => 1 },
    logger: silentLogger(),
  });
});

afterEach(async () => {
  fleet.endsWithAgent = true;
  fleet.line?.end();
  await link.end();
});

/** Opens the line and lets metadata answer on it. */
async function openLine(...namespaceIds: readonly NamespaceId[]): Promise<void> {
  link.start();
  await eventually(() => fleet.line?.heard.length).toBe(1);
  await fleet.line!.assign(...namespaceIds);
  await eventually(() => link.heartbeatAgeMs).toBe(0);
  await eventually(() => assigned.count).toBe(namespaceIds.length);
}

/** Lets the delay after so many failures in a row pass. */
async function passDelay(failures: number): Promise<void> {
  const delayMs = Math.min(retryLimits.maxDelayMs, retryLimits.initialDelayMs * 2 ** failures);
  await eventually(() => clock.sleepingMs).toEqual([delayMs]);
  clock.advance(delayMs);
}

describe('the line to metadata', () => {
  it('registers, and says how the agent is at every interval', async () => {
    await openLine();
    expect(fleet.registrations).toEqual([
      { publicKey: raw, premises: 'lisbon', address: '192.0.2.1:7421', softwareVersion: expect.any(String) as string },
    ]);
    for (let beat = 2; beat <= 4; beat++) {
      await eventually(() => clock.sleepingMs).toEqual([fleet.heartbeatIntervalMs]);
      clock.advance(fleet.heartbeatIntervalMs);
      await eventually(() => fleet.line?.heard.length).toBe(beat);
    }
    expect(fleet.line?.heard[0]).toEqual({
      agentId: key.id,
      state: AgentState.ONLINE,
      freeBytes: 5000n,
      totalBytes: 9000n,
      freeFloorBytes: 100n,
      blockCount: 7n,
      blockBytes: 700n,
    });
    expect(fleet.lines).toHaveLength(1);
  });

  it('does not let metadata make it flood the line', async () => {
    fleet.heartbeatIntervalMs = 0;
    await openLine();
    await eventually(() => clock.sleepingMs).toEqual([agentLimits.heartbeatIntervalMinMs]);
  });

  it('follows assignments as they come, and keeps the last', async () => {
    await openLine(NAMESPACE);
    expect(assigned.holds(NAMESPACE)).toBe(true);
    await fleet.line!.assign(OTHER);
    await eventually(() => assigned.holds(OTHER)).toBe(true);
    expect(assigned.holds(NAMESPACE)).toBe(false);
    await eventually(() => readFileSync(assigned.path, 'utf8')).toContain(OTHER);
    expect((await AssignedNamespaces.load(assigned.path)).holds(OTHER)).toBe(true);
  });

  it('tries again for ever, ever more slowly, and holds what it had meanwhile', async () => {
    await openLine(NAMESPACE);
    fleet.refusal = away;
    fleet.line!.break(away);
    for (let failures = 0; failures < 12; failures++) {
      await passDelay(failures);
      await eventually(() => fleet.registrations.length).toBe(failures + 2);
    }
    expect(assigned.holds(NAMESPACE)).toBe(true);

    fleet.refusal = undefined;
    await passDelay(12);
    await eventually(() => fleet.lines.length).toBe(2);
    await fleet.line!.assign(NAMESPACE, OTHER);
    await eventually(() => assigned.count).toBe(2);
    fleet.line!.break(away);
    await passDelay(0);
    await eventually(() => fleet.lines.length).toBe(3);
  });

  it('registers again where metadata has ended the stream or does not know the agent', async () => {
    await openLine();
    fleet.line!.end();
    await passDelay(0);
    await eventually(() => fleet.lines.length).toBe(2);
    fleet.line!.break(new DrystoneError('NOT_FOUND', 'AGENT_UNKNOWN', 'register first'));
    await passDelay(1);
    await eventually(() => fleet.lines.length).toBe(3);
    expect(fleet.registrations).toHaveLength(3);
  });

  it('knows the age of the last heartbeat that metadata can have heard', async () => {
    expect(link.heartbeatAgeMs).toBeUndefined();
    link.start();
    await eventually(() => fleet.line?.heard.length).toBe(1);
    expect(link.heartbeatAgeMs).toBeUndefined();
    await fleet.line!.assign();
    await eventually(() => link.heartbeatAgeMs).toBe(0);
    await eventually(() => clock.sleepingMs.length).toBe(1);
    clock.advance(fleet.heartbeatIntervalMs);
    await eventually(() => link.heartbeatAgeMs).toBe(0);

    fleet.line!.break(away);
    await passDelay(0);
    await eventually(() => fleet.lines.length).toBe(2);
    await eventually(() => fleet.line?.heard.length).toBe(1);
    clock.advance(60);
    // Taken by the transport, answered by nobody.
    expect(link.heartbeatAgeMs).toBe(retryLimits.initialDelayMs + 60);
  });
});

describe('leaving', () => {
  it('says DRAINING at once, and again until the end', async () => {
    await openLine();
    await eventually(() => clock.sleepingMs.length).toBe(1);
    link.drain();
    await eventually(() => fleet.line?.heard.at(-1)?.state).toBe(AgentState.DRAINING);
    await eventually(() => clock.sleepingMs.length).toBe(1);
    clock.advance(fleet.heartbeatIntervalMs);
    await eventually(() => fleet.line?.heard.map(({ state }) => state)).toEqual([
      AgentState.ONLINE,
      AgentState.DRAINING,
      AgentState.DRAINING,
    ]);
  });

  it('says DRAINING before it goes, though it goes at once', async () => {
    await openLine();
    link.drain();
    await link.end();
    expect(fleet.line?.heard.map(({ state }) => state)).toEqual([AgentState.ONLINE, AgentState.DRAINING]);
    expect(fleet.line?.hasLeft).toBe(true);
    expect(fleet.lines).toHaveLength(1);
  });

  it('does not wait for ever for metadata to end its half', async () => {
    fleet.endsWithAgent = false;
    await openLine();
    const ended = link.end();
    await eventually(() => fleet.line?.hasLeft).toBe(true);
    await eventually(() => clock.sleepingMs).toContain(agentLimits.farewellMs);
    clock.advance(agentLimits.farewellMs);
    await ended;
  });

  it('waits for nothing where there is no line', async () => {
    fleet.refusal = away;
    link.start();
    await eventually(() => clock.sleepingMs.length).toBe(1);
    await link.end();
    expect(clock.sleepingMs).toEqual([]);
    expect(fleet.registrations).toHaveLength(1);
  });

  it('needs no beginning', async () => {
    await link.end();
    expect(fleet.registrations).toEqual([]);
  });
});
