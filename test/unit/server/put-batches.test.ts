import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../common/clock.js';
import { blockServerLimits } from '../../../common/limits.js';
import type { Block } from '../../../server/block.js';
import { PutBatches } from '../../../server/put-batches.js';
import { SharedSource } from '../../../server/shared-source.js';
import { deferred, rejection, streamOf, type Deferred } from '../../support/async-tools.js';
import { blockOf, manyBlocks, sampleBlocks } from '../../support/blocks/sample-blocks.js';

/** A clock whose sleeps end by hand. */
function clockByHand() {
  const sleeps: { durationMs: number; wake: Deferred<void> }[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep(durationMs) {
      const wake = deferred();
      sleeps.push({ durationMs, wake });
      return wake.promise;
    },
  };
  return { clock, sleeps };
}

function batchesOf(blocks: AsyncGenerator<Block, void, undefined>) {
  const { clock, sleeps } = clockByHand();
  return { batches: new PutBatches(new SharedSource(blocks), clock), sleeps };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const sizesOf = (batch: readonly Block[] | undefined): number[] | undefined => batch?.map(({ data }) => data.length);

describe('PutBatches', () => {
  it('fills batches up to their limit, without a timer for a source that is ready', async () => {
    const MiB = 1024 * 1024;
    const { batches, sleeps } = batchesOf(streamOf(...sampleBlocks('sizes', 600_000, 400_000, 100_000, 2 * MiB, 7)));
    expect(sizesOf(await batches.read(100))).toEqual([600_000, 400_000]);
    expect(sizesOf(await batches.read(100))).toEqual([100_000]);
    expect(sizesOf(await batches.read(100))).toEqual([2 * MiB]);
    expect(sizesOf(await batches.read(100))).toEqual([7]);
    expect(await batches.read(100)).toBeUndefined();
    expect(await batches.source.isFinished()).toBe(true);
    expect(sleeps).toEqual([]);
  });

  it('takes no more blocks than asked for', async () => {
    const { batches } = batchesOf(streamOf(...manyBlocks('few', 5, 10)));
    expect(await batches.read(0)).toBeUndefined();
    expect(await batches.read(3)).toHaveLength(3);
    expect(await batches.source.isFinished()).toBe(false);
    expect(await batches.read(3)).toHaveLength(2);
  });

  it('waits a moment for a source that has paused, once a batch, and then goes without it', async () => {
    const [second, third] = [deferred(), deferred()];
    const blocks = async function* () {
      yield blockOf('first');
      await second.promise;
      yield blockOf('second');
      await third.promise;
      yield blockOf('third');
    };
    const { batches, sleeps } = batchesOf(blocks());
    const reading = batches.read(100);
    await turns(5);
    expect(sleeps.map(({ durationMs }) => durationMs)).toEqual([blockServerLimits.batchLingerMs]);
    second.resolve();
    await turns(5);
    sleeps[0]!.wake.resolve();
    expect(sizesOf(await reading)).toEqual([5, 6]);
    expect(sleeps).toHaveLength(1);
    third.resolve();
    expect(sizesOf(await batches.read(100))).toEqual([5]);
  });

  it('gives what it has before it raises the error of its source', async () => {
    const failed = deferred();
    const blocks = async function* () {
      yield blockOf('first');
      await failed.promise;
    };
    const { batches, sleeps } = batchesOf(blocks());
    const reading = batches.read(100);
    await turns(5);
    sleeps[0]!.wake.resolve();
    expect(sizesOf(await reading)).toEqual([5]);
    failed.reject(new Error('the source failed'));
    expect(await rejection(batches.read(100))).toMatchObject({ message: 'the source failed' });
  });
});
