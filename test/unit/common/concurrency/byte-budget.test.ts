import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../../../common/concurrency/byte-budget.js';
import { rejection } from '../../../support/async-tools.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ByteBudget', () => {
  it('grants what fits, in the order asked, and lets nobody pass one that waits', async () => {
    const budget = new ByteBudget(100);
    const granted: string[] = [];
    await budget.take(60);
    const large = budget.take(50).then(() => granted.push('large'));
    const small = budget.take(10).then(() => granted.push('small'));
    await turn();
    expect(granted).toEqual([]);
    expect(budget.tryTake(1)).toBe(false);
    budget.give(60);
    await Promise.all([large, small]);
    expect(granted).toEqual(['large', 'small']);
    expect(budget.usedBytes).toBe(60);
  });

  it('grants more than it has to one alone', async () => {
    const budget = new ByteBudget(100);
    await budget.take(1);
    const huge = budget.take(1000);
    expect(budget.tryTake(1)).toBe(false);
    budget.give(1);
    await huge;
    expect(budget.usedBytes).toBe(1000);
    expect(budget.tryTake(1)).toBe(false);
    budget.give(1000);
    expect(budget.tryTake(1)).toBe(true);
  });

  it('gives up a wait when its signal aborts: nothing was taken, and who comes after is served', async () => {
    const budget = new ByteBudget(100);
    await budget.take(90);
    const abort = new AbortController();
    const impatient = rejection(budget.take(50, abort.signal));
    const patient = budget.take(10);
    abort.abort();
    expect(await impatient).toMatchObject({ code: 'CANCELLED' });
    await patient;
    expect(budget.usedBytes).toBe(100);
    expect(await rejection(budget.take(1, abort.signal))).toMatchObject({ code: 'CANCELLED' });
    expect(budget.usedBytes).toBe(100);
  });
});
