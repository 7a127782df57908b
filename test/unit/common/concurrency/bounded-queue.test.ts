import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../../../common/concurrency/bounded-queue.js';
import { collect, rejection } from '../../../support/async-tools.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('BoundedQueue', () => {
  it('hands values over in order, and ends after the last', async () => {
    const queue = new BoundedQueue<number>(2);
    const all = collect(queue);
    for (let value = 0; value < 10; value++) await queue.push(value);
    queue.end();
    expect(await all).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('carries undefined like any value', async () => {
    const queue = new BoundedQueue<undefined>(2);
    await queue.push(undefined);
    await queue.push(undefined);
    queue.end();
    expect(await collect(queue)).toEqual([undefined, undefined]);
  });

  it('makes producers wait at its capacity, and admits them in their order', async () => {
    const queue = new BoundedQueue<string>(2);
    const admitted: string[] = [];
    const pushes = ['a', 'b', 'c', 'd'].map((value) => queue.push(value).then(() => admitted.push(value)));
    await turn();
    expect(admitted).toEqual(['a', 'b']);
    expect(queue.length).toBe(2);
    expect(await queue.takeBatch(1)).toEqual(['a']);
    await turn();
    expect(admitted).toEqual(['a', 'b', 'c']);
    expect(await queue.takeBatch(10)).toEqual(['b', 'c']);
    await Promise.all(pushes);
    expect(await queue.takeBatch(10)).toEqual(['d']);
  });

  it('lets no late producer pass one that waits', async () => {
    const queue = new BoundedQueue<string>(1);
    await queue.push('first');
    const waiting = queue.push('second');
    expect(await queue.takeBatch(1)).toEqual(['first']);
    const late = queue.push('third');
    expect(await queue.takeBatch(1)).toEqual(['second']);
    expect(await queue.takeBatch(1)).toEqual(['third']);
    await Promise.all([waiting, late]);
  });

  it('fails both sides with the first error, and drops what is queued', async () => {
    const queue = new BoundedQueue<string>(1);
    await queue.push('never seen');
    const waiting = rejection(queue.push('refused'));
    const fault = new Error('first');
    queue.fail(fault);
    queue.fail(new Error('second'));
    expect(await waiting).toBe(fault);
    expect(await rejection(queue.push('late'))).toBe(fault);
    expect(await rejection(collect(queue))).toBe(fault);
  });

  it('fails a consumer that waits, and one that has yet to take what was queued before the end', async () => {
    const waiting = new BoundedQueue<string>(1);
    const taken = rejection(waiting.takeBatch(1));
    waiting.fail(new Error('broken'));
    expect(await taken).toMatchObject({ message: 'broken' });

    const ended = new BoundedQueue<string>(1);
    await ended.push('never seen');
    ended.end();
    ended.fail(new Error('broken'));
    expect(await rejection(collect(ended))).toMatchObject({ message: 'broken' });
  });

  it('refuses producers once it has ended, those that wait too', async () => {
    const queue = new BoundedQueue<string>(1);
    await queue.push('kept');
    const waiting = rejection(queue.push('refused'));
    queue.end();
    queue.end();
    expect(await waiting).toMatchObject({ code: 'CANCELLED' });
    expect(await rejection(queue.push('late'))).toMatchObject({ code: 'CANCELLED' });
    expect(await collect(queue)).toEqual(['kept']);
  });

  it('refuses producers when its consumer leaves', async () => {
    const queue = new BoundedQueue<string>(1);
    await queue.push('first');
    const waiting = rejection(queue.push('refused'));
    for await (const value of queue) {
      expect(value).toBe('first');
      break;
    }
    await waiting.catch(() => undefined);
    expect(await rejection(queue.push('late'))).toMatchObject({ code: 'CANCELLED' });
    expect(queue.length).toBe(0);
  });
});
