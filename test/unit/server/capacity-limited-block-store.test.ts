import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../common/clock.js';
import { DrystoneError } from '../../../common/errors.js';
import { blockServerLimits } from '../../../common/limits.js';
import { CapacityLimitedBlockStore } from '../../../server/capacity-limited-block-store.js';
import { deferred } from '../../support/async-tools.js';
import { eventually } from '../../support/eventually.js';
import { HeldStore } from '../../support/blocks/held-store.js';
import { manyBlocks, NAMESPACE, sampleBlocks } from '../../support/blocks/sample-blocks.js';

const FLOOR_BYTES = 1000;
const DISK_FULL = { code: 'RESOURCE_EXHAUSTED', reason: 'DISK_FULL' };

class Disk {
  freeBytes = 0;
  readings = 0;
  answer: Promise<void> = Promise.resolve();

  async read(): Promise<number> {
    this.readings++;
    await this.answer;
    return this.freeBytes;
  }
}

function limitedStore(freeBytes: number) {
  const held = new HeldStore();
  const disk = new Disk();
  disk.freeBytes = freeBytes;
  const logged: string[] = [];
  let nowMs = 0;
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: () => Promise.resolve() };
  const store = new CapacityLimitedBlockStore(held, {
    space: { freeBytes: () => disk.read() },
    floorBytes: FLOOR_BYTES,
    premises: 'lisbon',
    clock,
    logger: pino({ base: null, timestamp: false }, { write: (line) => void logged.push(line) }),
  });
  const wait = (durationMs: number): void => void (nowMs += durationMs);
  const said = (): string[] => logged.map((line) => pino.levels.labels[(JSON.parse(line) as { level: number }).level]!);
  return { store, held, disk, wait, said };
}

describe('CapacityLimitedBlockStore', () => {
  it('takes blocks down to the floor and refuses the next with a delay', async () => {
    const { store, held } = limitedStore(FLOOR_BYTES + 300);
    held.letGo();
    const [first, second, third] = sampleBlocks('floor', 100, 200, 1);
    await store.put(NAMESPACE, [first!]);
    await store.put(NAMESPACE, [second!]);
    await expect(store.put(NAMESPACE, [third!])).rejects.toMatchObject({
      ...DISK_FULL,
      details: { retryAfterMs: blockServerLimits.diskFullRetryMs },
    });
    expect(held.received).toHaveLength(2);
  });

  it('still reads, answers and discards when it is full', async () => {
    const { store, held, disk, wait } = limitedStore(FLOOR_BYTES + 100);
    held.letGo();
    const [block] = sampleBlocks('full', 100);
    await store.put(NAMESPACE, [block!]);
    disk.freeBytes = 0;
    wait(blockServerLimits.freeSpaceMaxAgeMs);
    await expect(store.put(NAMESPACE, [block!])).rejects.toMatchObject(DISK_FULL);
    expect(await store.sizes(NAMESPACE, block!.hash)).toEqual([100]);
    expect((await store.get(NAMESPACE, block!.hash))[0]).toHaveLength(100);
    await store.discard(block!.hash);
    expect(await store.stats()).toMatchObject({ blocks: 0 });
  });

  it('counts what is being written and not on disk yet', async () => {
    const { store, held, disk, wait } = limitedStore(FLOOR_BYTES + 300);
    const [slow, next] = sampleBlocks('in flight', 250, 100);
    const writing = store.put(NAMESPACE, [slow!]);
    await eventually(() => held.heldCount).toBe(1);
    // A reading of the disk that does not show the first put must not let the second in either.
    wait(blockServerLimits.freeSpaceMaxAgeMs);
    await expect(store.put(NAMESPACE, [next!])).rejects.toMatchObject(DISK_FULL);
    held.letGo();
    await writing;
    disk.freeBytes = FLOOR_BYTES + 100;
    wait(blockServerLimits.freeSpaceMaxAgeMs);
    await store.put(NAMESPACE, [next!]);
  });

  it('logs once that it has begun to refuse, and once that it takes what it had refused', async () => {
    const { store, held, disk, wait, said } = limitedStore(FLOOR_BYTES + 50);
    held.letGo();
    const [small, large] = sampleBlocks('logged', 10, 100);
    const refused = async (): Promise<void> => {
      await expect(store.put(NAMESPACE, [large!])).rejects.toMatchObject(DISK_FULL);
    };
    await store.put(NAMESPACE, [small!]);
    expect(said()).toEqual([]);
    await refused();
    // What is small still finds room: that the large one is refused goes on all the same.
    await store.put(NAMESPACE, [small!]);
    await refused();
    expect(said()).toEqual(['warn']);
    disk.freeBytes = FLOOR_BYTES + 100;
    wait(blockServerLimits.freeSpaceMaxAgeMs);
    await store.put(NAMESPACE, [large!]);
    await refused();
    expect(said()).toEqual(['warn', 'info', 'warn']);
  });

  it('names the premises and the floor, in units that people read', async () => {
    await expect(limitedStore(0).store.put(NAMESPACE, sampleBlocks('named', 1))).rejects.toThrow(
      /^at lisbon free space has reached the floor of 1000 B; free some/,
    );
  });

  it('takes blocks again once there is room, after a reading has grown old', async () => {
    const { store, held, disk, wait } = limitedStore(FLOOR_BYTES);
    held.letGo();
    const [block] = sampleBlocks('again', 10);
    await expect(store.put(NAMESPACE, [block!])).rejects.toMatchObject(DISK_FULL);
    disk.freeBytes = FLOOR_BYTES + 10;
    await expect(store.put(NAMESPACE, [block!])).rejects.toMatchObject(DISK_FULL);
    wait(blockServerLimits.freeSpaceMaxAgeMs);
    await store.put(NAMESPACE, [block!]);
    expect(disk.readings).toBe(2);
  });

  it('reads the disk once for puts that come together, and counts each of them once', async () => {
    const { store, held, disk, wait } = limitedStore(FLOOR_BYTES + 2500);
    held.letGo();
    const blocks = manyBlocks('together', 50, 20);
    for (const round of [0, 1]) {
      const answer = deferred();
      disk.answer = answer.promise;
      const puts = blocks.slice(round * 25, (round + 1) * 25).map((block) => store.put(NAMESPACE, [block]));
      answer.resolve();
      await Promise.all(puts);
      expect(disk.readings).toBe(round + 1);
      wait(blockServerLimits.freeSpaceMaxAgeMs);
    }
  });

  it('calls a failed write a full disk where the disk is full, and else what it was', async () => {
    const { store, held, disk, said } = limitedStore(FLOOR_BYTES + 300);
    held.letGo();
    const [block] = sampleBlocks('failed', 100);
    held.failure = new DrystoneError('INTERNAL', 'STORE_FAILED', 'the block store could not write');
    await expect(store.put(NAMESPACE, [block!])).rejects.toMatchObject({ reason: 'STORE_FAILED' });
    expect(said()).toEqual([]);
    disk.freeBytes = 50;
    await expect(store.put(NAMESPACE, [block!])).rejects.toMatchObject(DISK_FULL);
    expect(said()).toEqual(['warn']);
    held.failure = undefined;
    await expect(store.put(NAMESPACE, [block!]), 'the disk is looked at anew').rejects.toMatchObject(DISK_FULL);
    expect(said()).toEqual(['warn']);
  });
});
