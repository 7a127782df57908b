import { beforeEach, describe, expect, it } from 'vitest';
import { metadataLimits } from '../../../../common/limits.js';
import type { AgentReport } from '../../../../metadata/fleet/agent-report.js';
import { Fleet } from '../../../../metadata/fleet/fleet.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { sampleAgent } from '../../../support/metadata/samples.js';

const agent = sampleAgent('lisbon').id;

function report(state: AgentReport['state'], freeBytes = 10): AgentReport {
  return { state, freeBytes, totalBytes: 20, freeFloorBytes: 1, blockCount: 0, blockBytes: 0 };
}

describe('Fleet', () => {
  let clock: ManualClock;
  let changes: number;
  let fleet: Fleet;

  beforeEach(() => {
    clock = new ManualClock(5_000);
    changes = 0;
    fleet = new Fleet(clock, () => changes++);
  });

  it('takes an agent that was never heard for offline', () => {
    expect(fleet.statusOf(agent)).toEqual({ state: 'offline', report: undefined, lastHeartbeatAtMs: 0 });
    expect(fleet.countByState()).toEqual({ online: 0, draining: 0, offline: 0 });
  });

  it('believes the last heartbeat until it is too old', () => {
    fleet.join(agent).report(report('online'));
    expect(fleet.statusOf(agent)).toEqual({ state: 'online', report: report('online'), lastHeartbeatAtMs: 5_000 });
    clock.advance(metadataLimits.offlineAfterMs);
    expect(fleet.statusOf(agent).state).toBe('online');
    clock.advance(1);
    expect(fleet.statusOf(agent)).toMatchObject({ state: 'offline', lastHeartbeatAtMs: 5_000 });
    expect(fleet.countByState()).toEqual({ online: 0, draining: 0, offline: 1 });
  });

  it('keeps an agent whose stream broke for as long as one that is late', () => {
    const session = fleet.join(agent);
    session.report(report('online'));
    session.leave();
    expect(fleet.statusOf(agent).state).toBe('online');
    fleet.join(agent).report(report('draining'));
    expect(fleet.statusOf(agent).state).toBe('draining');
  });

  it('tells of changes of state, and of nothing else', () => {
    const session = fleet.join(agent);
    expect(changes).toBe(0);
    session.report(report('online'));
    expect(changes).toBe(1);
    session.report(report('online', 3));
    expect(changes).toBe(1);
    expect(fleet.statusOf(agent).report?.freeBytes).toBe(3);
    session.report(report('draining'));
    expect(changes).toBe(2);
  });

  it('notices by itself that an agent has fallen silent, once', async () => {
    const end = new AbortController();
    const watching = fleet.keepWatch(end.signal);
    fleet.join(agent).report(report('online'));
    const pass = async (durationMs: number): Promise<void> => {
      await eventually(() => clock.sleepingMs.length).toBe(1);
      clock.advance(durationMs);
      await eventually(() => clock.sleepingMs.length).toBe(1);
    };
    await pass(metadataLimits.offlineAfterMs);
    expect(changes).toBe(1);
    await pass(metadataLimits.fleetSweepIntervalMs);
    expect(changes).toBe(2);
    await pass(metadataLimits.fleetSweepIntervalMs);
    expect(changes).toBe(2);
    end.abort();
    await watching;
  });

  it('replaces an older stream of the same agent, whose late words no longer count', () => {
    const first = fleet.join(agent);
    first.report(report('online'));
    const second = fleet.join(agent);
    expect([first.replaced.aborted, second.replaced.aborted]).toEqual([true, false]);
    second.report(report('draining'));
    first.report(report('online'));
    expect(fleet.statusOf(agent).state).toBe('draining');
    first.leave();
    const third = fleet.join(agent);
    expect([second.replaced.aborted, third.replaced.aborted]).toEqual([true, false]);
  });
});
