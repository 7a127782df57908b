import { beforeEach, describe, expect, it } from 'vitest';
import type { AccountName, AgentId, DeviceId, PremisesName } from '../../../../common/ids.js';
import { CallGate, type CallLimits, type GatedCall } from '../../../../common/rpc/call-gate.js';
import type { Caller } from '../../../../common/rpc/caller.js';
import { rejection } from '../../../support/async-tools.js';
import { ManualClock } from '../../../support/manual-clock.js';

const limits: CallLimits = {
  callsPerSecond: 10,
  callBurst: 4,
  anonymousCallsPerSecond: 1,
  anonymousCallBurst: 2,
  openCallsPerIdentity: 3,
  openCallsRetryMs: 700,
  ratesRemembered: 5,
};

const device = (account: string, digit = 'd'): Caller => ({
  kind: 'device',
  account: account as AccountName,
  deviceId: digit.repeat(32) as DeviceId,
});
const agent: Caller = { kind: 'agent', premises: 'lisbon' as PremisesName, agentId: 'd'.repeat(32) as AgentId };
const anonymous: Caller = { kind: 'anonymous', because: 'no certificate' };
const callBy = (caller: Caller, address = '192.0.2.1'): GatedCall => ({ caller, audience: 'anyone', address });

let clock: ManualClock;
let gate: CallGate;
beforeEach(() => {
  clock = new ManualClock(1_000_000);
  gate = new CallGate({ clock, limits });
});

/** Makes calls that end at once, until one is refused: how many were let in, and the refusal. */
async function exhaust(call: GatedCall): Promise<{ admitted: number; error: unknown }> {
  for (let admitted = 0; ; admitted++) {
    try {
      (await gate.admit(call))();
    } catch (error) {
      return { admitted, error };
    }
  }
}

describe('the rate of calls', () => {
  it('has a burst, after which the caller is told how long to wait: RATE_LIMITED', async () => {
    const { admitted, error } = await exhaust(callBy(device('ana')));
    expect(admitted).toBe(4);
    expect(error).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'RATE_LIMITED',
      details: { retryAfterMs: 100 },
      isTransient: true,
    });
    expect((error as Error).message).toContain('100 ms');
  });

  it('lets in who waits that long, and refills up to the burst', async () => {
    await exhaust(callBy(device('ana')));
    clock.advance(99);
    expect(await exhaust(callBy(device('ana')))).toMatchObject({
      admitted: 0,
      error: { details: { retryAfterMs: 1 } },
    });
    clock.advance(1);
    expect(await exhaust(callBy(device('ana')))).toMatchObject({ admitted: 1 });
    clock.advance(1_000_000);
    expect(await exhaust(callBy(device('ana')))).toMatchObject({ admitted: 4 });
  });

  it('is each identity’s own, from wherever it calls', async () => {
    await exhaust(callBy(device('ana'), '192.0.2.1'));
    expect(await exhaust(callBy(device('ana'), '192.0.2.2'))).toMatchObject({ admitted: 0 });
    expect(await exhaust(callBy(device('ana', 'e')))).toMatchObject({ admitted: 4 });
    expect(await exhaust(callBy(agent))).toMatchObject({ admitted: 4 });
  });

  it('of those without a certificate is that of their address, and lower', async () => {
    const first = await exhaust(callBy(anonymous, '192.0.2.1'));
    expect(first).toMatchObject({ admitted: 2, error: { reason: 'RATE_LIMITED', details: { retryAfterMs: 1000 } } });
    expect(await exhaust(callBy(anonymous, '::ffff:192.0.2.1'))).toMatchObject({ admitted: 0 });
    expect(await exhaust(callBy(anonymous, '192.0.2.2'))).toMatchObject({ admitted: 2 });
    expect(await exhaust(callBy(anonymous, '2001:db8::1'))).toMatchObject({ admitted: 2 });
    expect(await exhaust(callBy(anonymous, '2001:db8::2'))).toMatchObject({ admitted: 0 });
    expect(await exhaust(callBy(device('ana'), '192.0.2.1'))).toMatchObject({ admitted: 4 });
  });

  it('is not used up by calls that are refused for who makes them', async () => {
    for (let call = 0; call < 10; call++) {
      const refused = gate.admit({ ...callBy(device('ana')), audience: 'agent' });
      expect(await rejection(refused)).toMatchObject({ reason: 'ROLE_INSUFFICIENT' });
    }
    expect(await exhaust(callBy(device('ana')))).toMatchObject({ admitted: 4 });
  });

  it('is forgotten for those who have not called for longest, so that a crowd costs no more memory', async () => {
    await exhaust(callBy(anonymous, '192.0.2.0'));
    for (let host = 1; host < 5; host++) await gate.admit(callBy(anonymous, `192.0.2.${host}`));
    expect(await exhaust(callBy(anonymous, '192.0.2.0'))).toMatchObject({ admitted: 0 });
    await gate.admit(callBy(anonymous, '192.0.2.5'));
    expect(await exhaust(callBy(anonymous, '192.0.2.0'))).toMatchObject({ admitted: 0 });
    for (let host = 10; host < 15; host++) await gate.admit(callBy(anonymous, `192.0.2.${host}`));
    expect(await exhaust(callBy(anonymous, '192.0.2.0'))).toMatchObject({ admitted: 2 });
  });
});

describe('open calls', () => {
  it('are bounded for each identity: OVERLOADED, until one ends', async () => {
    const leave = [];
    for (let call = 0; call < 3; call++) leave.push(await gate.admit(callBy(device('ana'))));
    const error = await rejection(gate.admit(callBy(device('ana'))));
    expect(error).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'OVERLOADED',
      details: { retryAfterMs: 700 },
      isTransient: true,
    });
    await gate.admit(callBy(device('ben')));
    clock.advance(10_000);
    // To end one twice makes no room for two.
    leave[0]?.();
    leave[0]?.();
    await gate.admit(callBy(device('ana')));
    expect(await rejection(gate.admit(callBy(device('ana'))))).toMatchObject({ reason: 'OVERLOADED' });
  });

  it('are not those that were refused', async () => {
    gate = new CallGate({ clock, limits, isRevoked: () => true });
    for (let call = 0; call < 4; call++) {
      expect(await rejection(gate.admit(callBy(device('ana'))))).toMatchObject({ reason: 'IDENTITY_REVOKED' });
    }
    clock.advance(10_000);
    expect(await rejection(gate.admit(callBy(device('ana'))))).toMatchObject({ reason: 'IDENTITY_REVOKED' });
  });
});

describe('revocation', () => {
  it('is asked for agents and devices only, and may be answered at once or later', async () => {
    const asked: string[] = [];
    gate = new CallGate({
      clock,
      limits,
      isRevoked: (caller) => {
        asked.push(caller.kind);
        return caller.kind === 'agent' ? Promise.resolve(true) : false;
      },
    });
    await gate.admit(callBy(anonymous));
    await gate.admit(callBy({ kind: 'metadata' }));
    await gate.admit(callBy(device('ana')));
    expect(await rejection(gate.admit(callBy(agent)))).toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'IDENTITY_REVOKED',
    });
    expect(asked).toEqual(['device', 'agent']);
  });
});
