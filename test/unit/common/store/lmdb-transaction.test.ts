import { expect, test } from 'vitest';
import { constants } from 'node:os';
import { dataLimits } from '../../../../common/limits.js';
import { inTransaction } from '../../../../common/store/lmdb-transaction.js';
import { Medium } from '../../../../common/store/medium.js';

type Root = Parameters<typeof inTransaction>[0];

test('what the work of a transaction throws is raised as it is', async () => {
  const root = { childTransaction: async <T>(work: () => T) => work() } as Root;
  const own = new Error('own');
  const work = (): never => {
    throw own;
  };
  await expect(inTransaction(root, new Medium('the store', '/'), work)).rejects.toBe(own);
});

test('nothing is tried on a disk that was full until it has room', async () => {
  let freeBytes = 0;
  let attempts = 0;
  const medium = new Medium('the store', '/where/it/is', { freeBytes: () => Promise.resolve(freeBytes) });
  const childTransaction = <T>(work: () => T): Promise<T> => {
    attempts++;
    const full = Object.assign(new Error('no space'), { code: constants.errno.ENOSPC });
    return freeBytes === 0 ? Promise.reject(full) : Promise.resolve(work());
  };
  const attempt = (): Promise<string> => inTransaction({ childTransaction } as Root, medium, () => 'done');
  await expect(attempt()).rejects.toMatchObject({ reason: 'DISK_FULL' });
  freeBytes = dataLimits.fullBelowBytes - 1;
  await expect(attempt()).rejects.toMatchObject({ reason: 'DISK_FULL', isTransient: true });
  expect(attempts).toBe(1);
  freeBytes++;
  expect(await attempt()).toBe('done');
  expect(await attempt()).toBe('done');
  expect(attempts).toBe(3);
});
