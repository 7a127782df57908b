import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AssignedNamespaces } from '../../../agent/assigned-namespaces.js';
import { FleetStanding } from '../../../agent/fleet-standing.js';
import { MetadataLink } from '../../../agent/metadata-link.js';
import { KeptTokenKeys } from '../../../agent/token-keys.js';
import { DrystoneError, invalidArgument } from '../../../common/errors.js';
import type { TokenKey } from '../../../common/identity/access-tokens.js';
import type { AgentId, NamespaceId } from '../../../common/ids.js';
import { agentLimits, retryLimits } from '../../../common/limits.js';
import { silentLogger } from '../../../common/logging.js';
import { AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import { FakeFleet } from '../../support/agent/fake-fleet.js';
import { eventually } from '../../support/eventually.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const AGENT = '0123456789abcdef0123456789abcdef' as AgentId;
const NAMESPACE = '00112233445566778899aabbccddeeff' as NamespaceId;
const OTHER = 'ffeeddccbbaa99887766554433221100' as NamespaceId;
const away = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'nobody answers');
const capacity = { freeBytes: 5000, totalBytes: 9000, freeFloorBytes: 100, blockCount: 7, blockBytes: 700 };

let fleet: FakeFleet;
let clock: ManualClock;
let assigned: AssignedNamespaces;
let tokenKeys: KeptTokenKeys;
let standing: FleetStanding;
let link: MetadataLink;
/** The keys that are in force. */
let believed: readonly TokenKey[];
/** When metadata was heard. */
let heard: number[];

beforeEach(async () => {
  fleet = new FakeFleet();
  clock = new ManualClock();
  believed = [];
  heard = [];
  assigned = await AssignedNamespaces.load(join(temporaryDirectory(), 'assignments.json'));
  tokenKeys = await KeptTokenKeys.load(join(temporaryDirectory(), 'token-keys.json'), {
    replaceKeys: (keys) => {
      if (keys.some(({ publicKey }) => publicKey.length !== 32)) throw invalidArgument('token_keys', 'must be keys');
      believed = keys;
    },
  });
  standing = new FleetStanding(assigned, tokenKeys, silentLogger());
  link = new MetadataLink({
    fleet,
    agentId: AGENT,
    address: '192.0.2.1:7421',
    assigned,
    tokenKeys,
    standing,
    onHeard: () => heard.push(clock.nowMs()),
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
    expect(fleet.registrations).toEqual([{ address: '192.0.2.1:7421', softwareVersion: expect.any(String) as string }]);
    for (let beat = 2; beat <= 4; beat++) {
      await eventually(() => clock.sleepingMs).toEqual([fleet.heartbeatIntervalMs]);
      clock.advance(fleet.heartbeatIntervalMs);
      await eventually(() => fleet.line?.heard.length).toBe(beat);
    }
    expect(fleet.line?.heard[0]).toEqual({
      agentId: AGENT,
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

  it('believes the token keys that come, and keeps the last', async () => {
    await openLine(NAMESPACE);
    const key = { keyId: 'k1', publicKey: Buffer.alloc(32, 7) };
    await fleet.line!.tellKeys(key);
    await eventually(() => believed).toEqual([{ id: 'k1', publicKey: key.publicKey }]);
    await eventually(() => existsSync(tokenKeys.path) && readFileSync(tokenKeys.path, 'utf8')).toContain('"k1"');
    expect(assigned.holds(NAMESPACE)).toBe(true);
  });

  it('goes by what it was told before where metadata sends what are no keys, and connects anew', async () => {
    await openLine(NAMESPACE);
    await fleet.line!.tellKeys({ keyId: 'k1', publicKey: Buffer.alloc(32, 7) });
    await eventually(() => believed.length).toBe(1);
    await fleet.line!.tellKeys({ keyId: 'k2', publicKey: Buffer.alloc(3) });
    await passDelay(0);
    await eventually(() => fleet.lines.length).toBe(2);
    expect(believed.map(({ id }) => id)).toEqual(['k1']);
    expect(assigned.holds(NAMESPACE)).toBe(true);
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
    expect(clock.nowMs() - heard.at(-1)!).toBe(retryLimits.initialDelayMs + 60);
  });
});

describe('an agent that has been revoked', () => {
  const revoked = new DrystoneError('UNAUTHENTICATED', 'IDENTITY_REVOKED', 'this agent has been revoked');

  it.each<[string, () => void]>([
    ['when it registers', () => (fleet.refusal = revoked)],
    ['while its line is open', () => fleet.line!.break(revoked)],
  ])('forgets what it was told, for good, and calls no more, when it hears of it %s', async (when, revoke) => {
    await openLine(NAMESPACE);
    await fleet.line!.tellKeys({ keyId: 'k1', publicKey: Buffer.alloc(32, 7) });
    await eventually(() => existsSync(tokenKeys.path) && readFileSync(tokenKeys.path, 'utf8')).toContain('"k1"');
    revoke();
    if (when === 'when it registers') {
      fleet.line!.break(away);
      await passDelay(0);
    }
    await eventually(() => standing.isRevoked).toBe(true);
    await eventually(() => [assigned.count, believed.length]).toEqual([0, 0]);
    await eventually(() => readFileSync(tokenKeys.path, 'utf8')).not.toContain('"k1"');
    await eventually(() => readFileSync(assigned.path, 'utf8')).not.toContain(NAMESPACE);
    await link.end();
    expect(clock.sleepingMs).toEqual([]);
    expect(fleet.registrations).toHaveLength(when === 'when it registers' ? 2 : 1);
  });

  it('is revoked by its metadata alone, not by a line that is refused for another reason', async () => {
    fleet.refusal = new DrystoneError('UNAUTHENTICATED', 'CERTIFICATE_EXPIRED', 'the certificate has ended');
    link.start();
    await passDelay(0);
    await eventually(() => fleet.registrations.length).toBe(2);
    expect(standing.isRevoked).toBe(false);
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
