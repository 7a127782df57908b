import { describe, expect, it } from 'vitest';
import { InFlightGate } from '../../../../common/concurrency/in-flight-gate.js';
import { deferred, rejection } from '../../../support/async-tools.js';

describe('InFlightGate', () => {
  it('closes after the last of what it let in, and lets nothing in after', async () => {
    const gate = new InFlightGate('the thing');
    const [first, second] = [deferred<string>(), deferred<string>()];
    const log: string[] = [];
    const results = [gate.run(() => first.promise), gate.run(() => second.promise)];
    const release = async (): Promise<void> => void log.push('released');
    const closing = [gate.close(release), gate.close(release)];
    expect(await rejection(gate.run(async () => log.push('too late')))).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'DRAINING',
      message: 'the thing is closed',
    });
    first.resolve('one');
    expect(await results[0]).toBe('one');
    expect(log).toEqual([]);
    second.reject(new Error('failed'));
    expect(await rejection(results[1]!)).toMatchObject({ message: 'failed' });
    await Promise.all(closing);
    expect(log).toEqual(['released']);
  });

  it('closes at once where nothing is under way', async () => {
    const gate = new InFlightGate('the thing');
    expect(await gate.run(async () => 7)).toBe(7);
    let released = false;
    await gate.close(async () => void (released = true));
    expect(released).toBe(true);
  });
});
