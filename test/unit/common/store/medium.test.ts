import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { dataLimits, retryLimits } from '../../../../common/limits.js';
import { Medium, type Surroundings } from '../../../../common/store/medium.js';
import { ManualClock } from '../../../support/manual-clock.js';

const withFree = (bytes: number, more: Surroundings = {}): Medium => {
  return new Medium('the store', '/where/it/is', { freeBytes: () => Promise.resolve(bytes), ...more });
};
const roomy = withFree(dataLimits.fullBelowBytes);

/** A commit that failed, as lmdb tells of it. */
function failedCommit(code: number, told: () => Promise<unknown> = () => Promise.resolve()): Error {
  const cause = Object.assign(new Error('what the system says'), { code });
  const commitError = told().then((): never => {
    throw cause;
  });
  return Object.assign(new Error('Commit failed (see commitError for details)'), { commitError });
}

test('a full disk is a refusal that passes, with a delay; any other failing medium is not', async () => {
  for (const code of [constants.errno.ENOSPC, constants.errno.EDQUOT]) {
    expect(await roomy.failure(failedCommit(code))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'DISK_FULL',
      isTransient: true,
      message: 'the store could not write: its disk is full; make room there',
      details: { retryAfterMs: retryLimits.diskFullMs },
    });
  }
  for (const thrown of [failedCommit(constants.errno.EIO), new Error('what the system says'), 'what the system says']) {
    const failure = await roomy.failure(thrown);
    expect(failure).toMatchObject({ code: 'INTERNAL', reason: 'STORE_FAILED', isTransient: false });
    expect(failure.message).toContain('what the system says');
  }
});

test('an I/O error on a disk that is all but full is a full disk: there was room for a part of what was written', async () => {
  const asked: string[] = [];
  const medium = withFree(0, { freeBytes: (path) => Promise.resolve(asked.push(path)) });
  const failure = await medium.failure(failedCommit(constants.errno.EIO));
  expect([failure.reason, asked]).toEqual(['DISK_FULL', ['/where/it/is']]);
});

test('a commit that says why it failed only after its error has been raised is understood all the same', async () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const failed = failedCommit(constants.errno.ENOSPC, () => turn().then(turn));
  expect(await roomy.failure(failed)).toMatchObject({ reason: 'DISK_FULL', cause: { code: constants.errno.ENOSPC } });
});

test('one that never says why failed for want of room where there is none', async () => {
  const clock = new ManualClock();
  const failed = failedCommit(constants.errno.EIO, () => new Promise(() => undefined));
  const failures = [0, dataLimits.fullBelowBytes].map((bytes) => withFree(bytes, { clock }).failure(failed));
  clock.advance(dataLimits.commitErrorMs);
  expect((await Promise.all(failures)).map(({ reason }) => reason)).toEqual(['DISK_FULL', 'STORE_FAILED']);
});
