import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../../common/concurrency/byte-budget.js';
import type { AccountName, DeviceId } from '../../../common/ids.js';
import { blockServerLimits } from '../../../common/limits.js';
import { OpenStreams, type OpenStream, type StreamHolder } from '../../../server/open-streams.js';

const { streamsPerMethod, streamsPerAccount, streamsPerDevice } = blockServerLimits;

function holder(account: string, device: number): StreamHolder {
  return { account: account as AccountName, device: device.toString(16).padStart(32, '0') as DeviceId };
}

function setUp(): { streams: OpenStreams; refused: string[]; enter(account: string, device: number): OpenStream } {
  const refused: string[] = [];
  const streams = new OpenStreams((cause) => refused.push(cause));
  return {
    streams,
    refused,
    enter: (account, device) => streams.enter('put', holder(account, device), new ByteBudget(1)),
  };
}

const overloaded = expect.objectContaining({
  code: 'RESOURCE_EXHAUSTED',
  reason: 'OVERLOADED',
  details: { retryAfterMs: blockServerLimits.overloadedRetryMs },
}) as Error;

describe('the open streams of a server', () => {
  it('are no more for a device than its share; others of its account, and other methods, are let in', () => {
    const { streams, refused, enter } = setUp();
    const places = Array.from({ length: streamsPerDevice }, () => enter('ana', 1));
    expect(() => enter('ana', 1)).toThrow(overloaded);
    expect(refused).toEqual(['streams_of_device']);
    enter('ana', 2);
    streams.enter('get', holder('ana', 1), new ByteBudget(1));
    places[0]!.leave();
    places[0]!.leave();
    enter('ana', 1);
    expect(streams.count('put')).toBe(streamsPerDevice + 1);
  });

  it('are no more for an account than its share; other accounts are let in', () => {
    const { refused, enter } = setUp();
    for (let count = 0; count < streamsPerAccount; count++) enter('ana', count);
    expect(() => enter('ana', streamsPerAccount)).toThrow(overloaded);
    expect(refused).toEqual(['streams_of_account']);
    enter('bob', 1000);
  });

  it('are no more in all than the server serves', () => {
    const { refused, enter } = setUp();
    for (let count = 0; count < streamsPerMethod; count++)
      enter(`account-${Math.floor(count / streamsPerDevice)}`, count);
    expect(() => enter('late', 100_000)).toThrow(overloaded);
    expect(refused).toEqual(['streams']);
  });
});
