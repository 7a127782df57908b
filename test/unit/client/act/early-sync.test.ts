import { expect, test } from 'vitest';
import { EarlySync } from '../../../../client/act/download/early-sync.js';
import { clientLimits } from '../../../../common/limits.js';

const { earlySyncBytes } = clientLimits;

/** A file whose syncs are counted and end when the test says so. */
class SyncedFile {
  readonly underWay: PromiseWithResolvers[] = [];
  started = 0;

  datasync(): Promise<void> {
    this.started++;
    return new Promise((resolve, reject) => this.underWay.push({ resolve, reject }));
  }

  async endOne(failure?: Error): Promise<void> {
    const sync = this.underWay.shift();
    if (failure === undefined) sync?.resolve();
    else sync?.reject(failure);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface PromiseWithResolvers {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

test('the disk is asked once enough has been written, and once at a time', async () => {
  const file = new SyncedFile();
  const sync = new EarlySync(file);
  sync.wrote(earlySyncBytes - 1);
  expect(file.started).toBe(0);
  sync.wrote(1);
  sync.wrote(earlySyncBytes);
  expect(file.started).toBe(1);
  await file.endOne();
  expect(file.started).toBe(2);
  await file.endOne();
  expect(file.started).toBe(2);
});

test('the end waits for the sync that uses the handle, and starts no other', async () => {
  const file = new SyncedFile();
  const sync = new EarlySync(file);
  sync.wrote(earlySyncBytes);
  sync.wrote(earlySyncBytes);
  let isFinished = false;
  const finished = sync.finish().then(() => (isFinished = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isFinished).toBe(false);
  await file.endOne();
  await finished;
  expect(file.started).toBe(1);
});

test('a write that the disk lost is told, though a later sync succeeds', async () => {
  const file = new SyncedFile();
  const sync = new EarlySync(file);
  sync.wrote(earlySyncBytes);
  sync.wrote(earlySyncBytes);
  await file.endOne(new Error('EIO'));
  await file.endOne();
  await expect(sync.finish()).rejects.toThrow('EIO');
});
