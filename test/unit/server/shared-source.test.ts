import { describe, expect, it } from 'vitest';
import { SharedSource } from '../../../server/shared-source.js';
import { collect, deferred, rejection, streamOf } from '../../support/async-tools.js';

const never = new AbortController().signal;

describe('a shared source', () => {
  it('gives its next value until that is taken, and what was put back before all others', async () => {
    const source = new SharedSource(streamOf(1, 2, 3));
    expect(await source.peek()).toEqual({ value: 1, done: false });
    expect(await source.peek()).toEqual({ value: 1, done: false });
    source.take();
    expect(await source.peek()).toMatchObject({ value: 2 });
    source.putBack([10, 11]);
    expect(await source.isFinished()).toBe(false);
    expect(await collect(source.until(never))).toEqual([10, 11, 2, 3]);
    expect(await source.isFinished()).toBe(true);
    source.putBack([3]);
    expect(await source.isFinished()).toBe(false);
    expect(await collect(source.until(never))).toEqual([3]);
  });

  it('gives the next reader what the one before has waited for in vain', async () => {
    const late = deferred();
    const values = async function* (): AsyncGenerator<string, void, undefined> {
      yield 'early';
      await late.promise;
      yield 'late';
    };
    const source = new SharedSource(values());
    const over = new AbortController();
    const first = collect(source.until(over.signal));
    await source.peek();
    over.abort();
    expect(await first).toEqual(['early']);
    late.resolve();
    expect(await collect(source.until(never))).toEqual(['late']);
  });

  it('raises the error of its source to whoever reads, and to nobody else', async () => {
    const trouble = new Error('the file has gone');
    const values = async function* (): AsyncGenerator<string, void, undefined> {
      yield 'before';
      throw trouble;
    };
    const source = new SharedSource(values());
    const reader = source.until(never);
    expect(await reader.next()).toMatchObject({ value: 'before' });
    void source.peek().catch(() => undefined);
    expect(await rejection(reader.next())).toBe(trouble);
    expect(await rejection(source.isFinished())).toBe(trouble);
  });

  it('closes a source that has nothing to give without waiting for it', () => {
    let closed = 0;
    const source = new SharedSource({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: () => {
          closed++;
          return new Promise<never>(() => undefined);
        },
      }),
    });
    void source.peek();
    source.close();
    expect(closed).toBe(1);
  });
});
