import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../common/concurrency/bounded-queue.js';
import { ByteBudget } from '../../common/concurrency/byte-budget.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ByteBudget', () => {
  /** Whoever takes, holds for some turns, and gives back; or gives up before. */
  const takers = fc.array(
    fc.record({
      bytes: fc.integer({ min: 1, max: 150 }),
      turns: fc.nat({ max: 3 }),
      patience: fc.option(fc.nat({ max: 3 })),
    }),
    { maxLength: 30 },
  );

  it('never has more under way than its capacity, but for one alone; serves in order; ends empty', async () => {
    await fc.assert(
      fc.asyncProperty(takers, async (list) => {
        const budget = new ByteBudget(100);
        const granted: number[] = [];
        let holders = 0;
        await Promise.all(
          list.map(async ({ bytes, turns, patience }, index) => {
            const abort = new AbortController();
            const giveUp = patience === null ? undefined : waitTurns(patience).then(() => abort.abort());
            try {
              await budget.take(bytes, abort.signal);
            } catch {
              await giveUp;
              return;
            }
            granted.push(index);
            holders++;
            expect(holders === 1 || budget.usedBytes <= budget.capacityBytes).toBe(true);
            await waitTurns(turns);
            holders--;
            budget.give(bytes);
          }),
        );
        expect(budget.usedBytes).toBe(0);
        expect(granted).toEqual([...granted].sort((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });
});

describe('BoundedQueue', () => {
  const shape = fc.record({
    capacity: fc.integer({ min: 1, max: 5 }),
    producers: fc.array(fc.array(fc.nat({ max: 2 }), { maxLength: 15 }), { minLength: 1, maxLength: 4 }),
    batch: fc.integer({ min: 1, max: 7 }),
    pauses: fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 5 }),
  });

  it('hands over everything once, each producer’s in its order, and never queues more than its capacity', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ capacity, producers, batch, pauses }) => {
        const queue = new BoundedQueue<readonly [producer: number, index: number]>(capacity);
        const producing = Promise.all(
          producers.map(async (waits, producer) => {
            for (const [index, turns] of waits.entries()) {
              await waitTurns(turns);
              await queue.push([producer, index]);
            }
          }),
        ).then(() => queue.end());
        const taken: (readonly [number, number])[] = [];
        for (let round = 0; ; round++) {
          expect(queue.length).toBeLessThanOrEqual(capacity);
          const values = await queue.takeBatch(batch);
          if (values === undefined) break;
          expect(values.length).toBeLessThanOrEqual(Math.min(batch, capacity));
          taken.push(...values);
          await waitTurns(pauses[round % pauses.length] ?? 0);
        }
        await producing;
        producers.forEach((waits, producer) => {
          const own = taken.filter(([from]) => from === producer).map(([, index]) => index);
          expect(own).toEqual(waits.map((_, index) => index));
        });
      }),
      { numRuns: 200 },
    );
  });
});

async function waitTurns(count: number): Promise<void> {
  for (let turns = 0; turns < count; turns++) await turn();
}
