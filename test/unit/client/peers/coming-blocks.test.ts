import { beforeEach, expect, it } from 'vitest';
import { ComingBlocks } from '../../../../client/peers/coming-blocks.js';
import { hashKey } from '../../../../common/block-hash.js';
import { peerLimits } from '../../../../common/limits.js';
import { withSigns } from '../../../../server/signs-of-life.js';
import { collect, deferred, quietFor } from '../../../support/async-tools.js';
import { hashesOf, manyBlocks } from '../../../support/blocks/sample-blocks.js';
import { ManualClock } from '../../../support/manual-clock.js';

const blocks = manyBlocks('coming', 3, 10);
const [first, second, third] = blocks.map(({ hash }) => hash) as [Uint8Array, Uint8Array, Uint8Array];
const list = { hashes: hashesOf(blocks), sizes: [10, 10, 10] };

let clock: ManualClock;
let coming: ComingBlocks;

beforeEach(() => {
  clock = new ManualClock();
  coming = new ComingBlocks(clock);
});

/** Moves time on, and lets happen what follows from that. */
async function pass(durationMs: number): Promise<void> {
  await quietFor(1);
  clock.advance(durationMs);
  await quietFor(1);
}

function isOver(work: Promise<void>): { readonly now: boolean } {
  const state = { now: false };
  void work.then(() => (state.now = true));
  return state;
}

it('a block that is coming is waited for as long as anything comes', async () => {
  coming.begin([list]);
  const waiting = isOver(coming.settled(first));
  await pass(peerLimits.comingIdleMs - 1);
  coming.inFile(second, ['/second'], 0, 10);
  await pass(1);
  expect(waiting.now).toBe(false);
  coming.whole(third, Buffer.from('0123456789'));
  await pass(peerLimits.comingIdleMs);
  expect(waiting.now).toBe(false);
  coming.inFile(first, ['/first'], 0, 10);
  await quietFor(1);
  expect([waiting.now, coming.sizeOf(hashKey(first))]).toEqual([true, 10]);
});

it('no longer where nothing comes, the download is over, or the block was never coming', async () => {
  await coming.settled(first);
  coming.begin([list]);
  const [idle, ended] = [isOver(coming.settled(first)), isOver(coming.settled(second))];
  await pass(peerLimits.comingIdleMs);
  expect([idle.now, ended.now]).toEqual([true, true]);
  const cut = isOver(coming.settled(third));
  coming.end();
  await quietFor(1);
  expect([cut.now, coming.sizeOf(hashKey(third))]).toEqual([true, undefined]);
});

it('what is not known is waited to be heard of, and after that was in vain not again for a while', async () => {
  const isKnown = (): boolean => coming.sizeOf(hashKey(first)) !== undefined;
  const heard = isOver(coming.news(isKnown));
  await pass(peerLimits.newsWaitMs - 1);
  expect(heard.now).toBe(false);
  coming.begin([list]);
  await quietFor(1);
  expect(heard.now).toBe(true);
  coming.end();
  const inVain = isOver(coming.news(isKnown));
  await pass(peerLimits.newsWaitMs);
  expect(inVain.now).toBe(true);
  await coming.news(isKnown);
  await pass(peerLimits.newsPauseMs);
  const again = isOver(coming.news(isKnown));
  await quietFor(1);
  expect(again.now).toBe(false);
});

it('a server that has nothing to send says every second that it is alive', async () => {
  const slow = deferred();
  async function* answers(): AsyncGenerator<string, void, undefined> {
    yield 'first';
    await slow.promise;
    yield 'second';
  }
  const all = collect(withSigns(answers(), 'alive', clock));
  await pass(peerLimits.signMs);
  await pass(peerLimits.signMs);
  slow.resolve();
  expect(await all).toEqual(['first', 'alive', 'alive', 'second']);
});
