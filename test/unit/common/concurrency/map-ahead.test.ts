import { describe, expect, it } from 'vitest';
import { mapAhead } from '../../../../common/concurrency/map-ahead.js';
import { collect, deferred, rejection, streamOf, type Deferred } from '../../../support/async-tools.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('mapAhead', () => {
  it('keeps the order, whichever work is done first', async () => {
    const works: Deferred<string>[] = [];
    const results = collect(
      mapAhead(streamOf('a', 'b', 'c'), 3, () => {
        const work = deferred<string>();
        works.push(work);
        return work.promise;
      }),
    );
    await nextTurn();
    for (const [index, work] of [...works.entries()].reverse()) work.resolve(`result ${index}`);
    expect(await results).toEqual(['result 0', 'result 1', 'result 2']);
  });

  it('works no further ahead than told', async () => {
    let begun = 0;
    const numbers = async function* () {
      for (let number = 0; ; number++) yield number;
    };
    const results = mapAhead(numbers(), 3, async (number) => {
      begun++;
      return number;
    });
    for (let taken = 1; taken <= 5; taken++) {
      await results.next();
      await nextTurn();
      expect(begun).toBe(taken + 3);
    }
    await results.return();
  });

  it('raises an error of the work, and of the source, in its turn', async () => {
    const failing = async function* () {
      yield 1;
      throw new Error('source');
    };
    const seen: number[] = [];
    const run = async (source: AsyncIterable<number>, bad: number): Promise<void> => {
      const work = async (value: number): Promise<number> => {
        if (value === bad) throw new Error('work');
        return value;
      };
      for await (const value of mapAhead(source, 4, work)) seen.push(value);
    };
    expect(await rejection(run(streamOf(1, 2, 3), 2))).toMatchObject({ message: 'work' });
    expect(await rejection(run(failing(), 0))).toMatchObject({ message: 'source' });
    expect(seen).toEqual([1, 1]);
  });

  it('ends its source when it is left early', async () => {
    const ended = deferred();
    const source = async function* () {
      try {
        for (;;) yield 1;
      } finally {
        ended.resolve();
      }
    };
    const results = mapAhead(source(), 2, async (value) => value);
    await results.next();
    await results.return();
    await ended.promise;
  });

  it('ends with its source, be it shorter than what may be ahead', async () => {
    expect(await collect(mapAhead(streamOf(1), 5, async (value) => value * 2))).toEqual([2]);
    expect(await collect(mapAhead(streamOf<number>(), 5, async (value) => value))).toEqual([]);
  });
});
