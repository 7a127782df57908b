import { beforeEach, expect, it } from 'vitest';
import { MetadataReach } from '../../../../client/upstream/metadata-reach.js';
import { DrystoneError } from '../../../../common/errors.js';
import { clientLimits } from '../../../../common/limits.js';
import { ManualClock } from '../../../support/manual-clock.js';

const AWAY = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'nobody answers');
const never = new AbortController().signal;

let clock: ManualClock;
let reach: MetadataReach;

beforeEach(() => {
  clock = new ManualClock();
  reach = new MetadataReach(clock);
});

it('metadata is away once every call has failed for long enough, and back with the first that succeeds', async () => {
  let told = false;
  const waiting = reach.untilAway(never).then(() => (told = true));
  reach.failed(AWAY);
  await Promise.resolve();
  clock.advance(clientLimits.metadataAwayMs - 1);
  reach.failed(AWAY);
  expect([reach.isAway, told]).toEqual([false, false]);
  clock.advance(1);
  await waiting;
  expect(reach.isAway).toBe(true);
  const { back } = reach;
  reach.answered();
  expect([reach.isAway, back.aborted, reach.back.aborted]).toEqual([false, true, false]);
});

it('one call that succeeds in between begins the time anew', () => {
  reach.failed(AWAY);
  clock.advance(clientLimits.metadataAwayMs - 1);
  reach.answered();
  reach.failed(AWAY);
  clock.advance(clientLimits.metadataAwayMs - 1);
  expect(reach.isAway).toBe(false);
});

it('who refuses, or has too much to do, is there', () => {
  reach.failed(new DrystoneError('RESOURCE_EXHAUSTED', 'OVERLOADED', 'too much'));
  reach.failed(new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', 'no'));
  clock.advance(clientLimits.metadataAwayMs);
  expect(reach.isAway).toBe(false);
});

it('a wait that nobody needs any more ends', async () => {
  const ended = new AbortController();
  const waiting = reach.untilAway(ended.signal);
  ended.abort();
  await waiting;
  expect(reach.isAway).toBe(false);
});

it('it is heard until calls begin to fail, and tokens of others are judged as of then', () => {
  expect(reach.atMs).toBe(clock.nowMs());
  const cutAtMs = clock.nowMs();
  reach.failed(AWAY);
  clock.advance(60_000);
  reach.failed(AWAY);
  expect(reach.atMs).toBe(cutAtMs);
  reach.answered();
  expect(reach.atMs).toBe(cutAtMs + 60_000);
});
