import { describe, expect, it } from 'vitest';
import type { AccountName } from '../../../common/ids.js';
import { blockServerLimits } from '../../../common/limits.js';
import { PutBudget } from '../../../server/put-budget.js';
import { rejection } from '../../support/async-tools.js';

const [ana, bob, eve] = ['ana', 'bob', 'eve'] as AccountName[];
const { putBytesInFlightPerAccount: SHARE, putBytesInFlightTotal: TOTAL } = blockServerLimits;

/** What has resolved, in that order. */
function watch(budget: PutBudget): { granted: string[]; take(account: AccountName, bytes: number): void } {
  const granted: string[] = [];
  return { granted, take: (account, bytes) => void budget.take(account, bytes).then(() => granted.push(account)) };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the budget of a server’s put streams', () => {
  it('lets an account have no more than its share, and others go on', async () => {
    const budget = new PutBudget();
    const { granted, take } = watch(budget);
    take(ana!, SHARE);
    take(ana!, 1);
    take(bob!, SHARE);
    await settle();
    expect(granted).toEqual([ana, bob]);
    expect(budget.usedBytes).toBe(2 * SHARE);
    budget.give(ana!, SHARE);
    await settle();
    expect(granted).toEqual([ana, bob, ana]);
  });

  it('lets all accounts together have no more than the total', async () => {
    const budget = new PutBudget();
    const { granted, take } = watch(budget);
    take(ana!, SHARE);
    take(bob!, TOTAL - SHARE);
    take(eve!, 1);
    await settle();
    expect(granted).toEqual([ana, bob]);
    budget.give(bob!, TOTAL - SHARE);
    await settle();
    expect(granted).toEqual([ana, bob, eve]);
  });

  it('has taken nothing for one who gave up, whichever of the two he waited for', async () => {
    const budget = new PutBudget();
    await budget.take(ana!, SHARE);
    const ends = [new AbortController(), new AbortController()];
    const ofHisShare = rejection(budget.take(ana!, 1, ends[0]!.signal));
    await budget.take(bob!, TOTAL - SHARE);
    const ofTheTotal = rejection(budget.take(eve!, 1, ends[1]!.signal));
    for (const end of ends) end.abort();
    expect(await ofHisShare).toMatchObject({ code: 'CANCELLED' });
    expect(await ofTheTotal).toMatchObject({ code: 'CANCELLED' });
    expect(budget.usedBytes).toBe(TOTAL);
    budget.give(ana!, SHARE);
    budget.give(bob!, TOTAL - SHARE);
    expect([budget.usedBytes, budget.accountCount]).toEqual([0, 0]);
    expect(await rejection(budget.take(eve!, 1, AbortSignal.abort()))).toMatchObject({ code: 'CANCELLED' });
    expect(budget.accountCount).toBe(0);
  });

  it('knows no account for longer than it has bytes in flight', async () => {
    const budget = new PutBudget();
    for (let count = 0; count < 100; count++) {
      const account = `account-${count}` as AccountName;
      await budget.take(account, 10);
      budget.give(account, 10);
    }
    expect(budget.accountCount).toBe(0);
  });
});
