import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { inTransaction, storeFailure } from '../../../../common/store/lmdb-transaction.js';
import { dataLimits, retryLimits } from '../../../../common/limits.js';
import { ManualClock } from '../../../support/manual-clock.js';

/** A commit that failed, as lmdb tells of it. */
function failedCommit(code: number): Error {
  const cause = Object.assign(new Error('what the system says'), { code });
  return Object.assign(new Error('Commit failed (see commitError for details)'), {
    commitError: Promise.reject(cause),
  });
}

test('a full disk is a refusal that passes, with a delay; any other failing medium is not', async () => {
  for (const code of [constants.errno.ENOSPC, constants.errno.EDQUOT]) {
    expect(await storeFailure({ what: 'the store' }, failedCommit(code))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'DISK_FULL',
      isTransient: true,
      message: 'the store could not write: its disk is full; make room there',
      details: { retryAfterMs: retryLimits.diskFullMs },
    });
  }
  for (const thrown of [failedCommit(constants.errno.EIO), new Error('what the system says'), 'what the system says']) {
    const freeBytes = (): Promise<number> => Promise.resolve(dataLimits.fullBelowBytes);
    const failure = await storeFailure({ what: 'the store', path: '/' }, thrown, { freeBytes });
    expect(failure).toMatchObject({ code: 'INTERNAL', reason: 'STORE_FAILED', isTransient: false });
    expect(failure.message).toContain('what the system says');
  }
});

test('an I/O error on a disk that is all but full is a full disk: there was room for a part of what was written', async () => {
  const failed = failedCommit(constants.errno.EIO);
  const store = { what: 'the store', path: '/where/it/is' };
  const asked: string[] = [];
  const failure = await storeFailure(store, failed, { freeBytes: (path) => Promise.resolve(asked.push(path)) });
  expect([failure.reason, asked]).toEqual(['DISK_FULL', ['/where/it/is']]);
});

test('a commit that says why it failed only after its error has been raised is understood all the same', async () => {
  const cause = Object.assign(new Error('what the system says'), { code: constants.errno.ENOSPC });
  const told = new Promise((resolve) => setImmediate(resolve)).then(
    () => new Promise((_resolve, reject) => setImmediate(reject, cause)),
  );
  const failed = Object.assign(new Error('Commit failed (see commitError for details)'), { commitError: told });
  expect(await storeFailure({ what: 'the store' }, failed)).toMatchObject({ reason: 'DISK_FULL', cause });
});

test('one that never says why failed for want of room where there is none', async () => {
  const failed = Object.assign(new Error('Commit failed (see commitError for details)'), {
    commitError: new Promise(() => undefined),
  });
  const store = { what: 'the store', path: '/where/it/is' };
  const clock = new ManualClock();
  const failures = [0, dataLimits.fullBelowBytes].map((bytes) => {
    return storeFailure(store, failed, { freeBytes: () => Promise.resolve(bytes), clock });
  });
  clock.advance(dataLimits.commitErrorMs);
  expect((await Promise.all(failures)).map(({ reason }) => reason)).toEqual(['DISK_FULL', 'STORE_FAILED']);
});

test('what the work of a transaction throws is raised as it is', async () => {
  const root = { childTransaction: async <T>(work: () => T) => work() } as Parameters<typeof inTransaction>[0];
  const own = new Error('own');
  const work = (): never => {
    throw own;
  };
  await expect(inTransaction(root, { what: 'the store' }, work)).rejects.toBe(own);
});
