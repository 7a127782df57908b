import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../../../cli/output/rate-meter.js';

describe('RateMeter', () => {
  it('knows nothing until it has measured for a second', () => {
    const meter = new RateMeter();
    expect(meter.perSecond).toBe(0);
    meter.record(500, 0);
    meter.record(1000, 999);
    expect(meter.perSecond).toBe(0);
    meter.record(1500, 1998);
    expect(meter.perSecond).toBeCloseTo(500.5, 1);
  });

  it('keeps a steady rate whatever the intervals', () => {
    const meter = new RateMeter();
    for (const atMs of [0, 10, 1500, 1501, 4000, 60_000]) meter.record(atMs * 2, atMs);
    expect(meter.perSecond).toBeCloseTo(2000);
  });

  it('is not held down by a slow beginning', () => {
    const meter = new RateMeter();
    meter.record(0, 0);
    meter.record(0, 1000);
    meter.record(1000, 2000);
    expect(meter.perSecond).toBeGreaterThan(500);
    expect(meter.perSecond).toBeLessThan(1000);
  });

  it('forgets what is long past', () => {
    const meter = new RateMeter();
    meter.record(0, 0);
    meter.record(1_000_000, 1000);
    for (let atMs = 2000; atMs <= 40_000; atMs += 1000) meter.record(1_000_000, atMs);
    expect(meter.perSecond).toBeLessThan(10);
  });

  it('takes a total that shrank for a new start, and time that stands still for nothing', () => {
    const meter = new RateMeter();
    meter.record(1000, 0);
    meter.record(10, 1000);
    expect(meter.perSecond).toBe(0);
    meter.record(1e9, 1000);
    expect(meter.perSecond).toBe(0);
  });
});
