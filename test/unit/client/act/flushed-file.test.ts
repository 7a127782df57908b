import { readFile, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FlushedFile } from '../../../../client/act/download/flushed-file.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const FLUSH_BYTES = 8;

/** A handle whose `datasync` is counted, and ends when and as the test says. */
class Flushes {
  count = 0;
  #settle: ((failure: Error | undefined) => void) | undefined;

  constructor(handle: FileHandle) {
    handle.datasync = () => {
      this.count++;
      return new Promise((resolve, reject) => {
        this.#settle = (failure) => (failure === undefined ? resolve() : reject(failure));
      });
    };
  }

  async end(failure?: Error): Promise<void> {
    this.#settle?.(failure);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function withFile(work: (file: FlushedFile, flushes: Flushes, path: string) => Promise<void>): Promise<void> {
  const path = join(temporaryDirectory(), 'file');
  const handle = await open(path, 'w+');
  try {
    await work(new FlushedFile(handle, FLUSH_BYTES), new Flushes(handle), path);
  } finally {
    await handle.close();
  }
}

describe('a file that is flushed while it is written', () => {
  it('holds what was written, in whatever order', () =>
    withFile(async (file, _, path) => {
      await file.write(Buffer.from('wall'), 4);
      await file.write(Buffer.from('dry '), 0);
      expect(await readFile(path, 'utf8')).toBe('dry wall');
    }));

  it('is flushed each time so much has been written, one flush at a time', () =>
    withFile(async (file, flushes) => {
      await file.write(Buffer.alloc(7), 0);
      expect(flushes.count).toBe(0);
      await file.write(Buffer.alloc(1), 7);
      expect(flushes.count).toBe(1);
      await file.write(Buffer.alloc(20), 8);
      expect(flushes.count).toBe(1);
      await flushes.end();
      await file.write(Buffer.alloc(1), 28);
      expect(flushes.count).toBe(2);
      await flushes.end();
    }));

  it('waits for the flush under way, and raises why one failed', () =>
    withFile(async (file, flushes) => {
      await file.write(Buffer.alloc(FLUSH_BYTES), 0);
      let isFlushed = false;
      const flushed = file.flushed().finally(() => (isFlushed = true));
      await new Promise((resolve) => setImmediate(resolve));
      expect(isFlushed).toBe(false);
      await Promise.all([expect(flushed).rejects.toThrow('EIO'), flushes.end(new Error('EIO'))]);
      // It stays failed: a later flush that succeeds says nothing about what this one has lost.
      await file.write(Buffer.alloc(FLUSH_BYTES), 0);
      await flushes.end();
      await expect(file.flushed()).rejects.toThrow('EIO');
    }));
});
