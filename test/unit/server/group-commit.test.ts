import { describe, expect, it } from 'vitest';
import { GroupCommit } from '../../../server/group-commit.js';
import { deferred, type Deferred } from '../../support/async-tools.js';

const limits = { bytes: 100, blocks: 10 };

/** A group commit whose writes are finished by hand. */
function byHand(groupLimits = limits) {
  const writes: { jobs: readonly string[]; done: Deferred<readonly string[]> }[] = [];
  const commits = new GroupCommit<string, string>(groupLimits, (jobs) => {
    const done = deferred<readonly string[]>();
    writes.push({ jobs, done });
    return done.promise;
  });
  return { commits, writes };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('GroupCommit', () => {
  it('writes what arrives in one turn together', async () => {
    const { commits, writes } = byHand();
    const outcomes = Promise.all([commits.add('a', 1, 1), commits.add('b', 1, 1)]);
    await nextTurn();
    expect(writes.map(({ jobs }) => jobs)).toEqual([['a', 'b']]);
    writes[0]!.done.resolve(['of a', 'of b']);
    expect(await outcomes).toEqual(['of a', 'of b']);
  });

  it('fills the next group while one is being written', async () => {
    const { commits, writes } = byHand();
    void commits.add('a', 1, 1);
    await nextTurn();
    void commits.add('b', 1, 1);
    await nextTurn();
    void commits.add('c', 1, 1);
    await nextTurn();
    expect(writes.map(({ jobs }) => jobs)).toEqual([['a']]);
    writes[0]!.done.resolve(['']);
    await nextTurn();
    expect(writes.map(({ jobs }) => jobs)).toEqual([['a'], ['b', 'c']]);
  });

  it('hands over a group that is full while one is being written, and no third', async () => {
    const { commits, writes } = byHand({ bytes: 2, blocks: 10 });
    void commits.add('a', 1, 1);
    await nextTurn();
    for (const job of ['b', 'c', 'd', 'e', 'f']) void commits.add(job, 1, 1);
    await nextTurn();
    expect(writes.map(({ jobs }) => jobs)).toEqual([['a'], ['b', 'c']]);
    writes[0]!.done.resolve([]);
    await nextTurn();
    expect(writes.map(({ jobs }) => jobs)).toEqual([['a'], ['b', 'c'], ['d', 'e']]);
    writes[1]!.done.resolve([]);
    await nextTurn();
    expect(writes).toHaveLength(3);
    writes[2]!.done.resolve([]);
    await nextTurn();
    expect(writes.map(({ jobs }) => jobs)[3]).toEqual(['f']);
  });

  it('closes a group at its limit of bytes and of blocks, but takes a job that is larger', async () => {
    const { commits, writes } = byHand();
    for (const [job, bytes, blocks] of [
      ['a', 60, 1],
      ['b', 40, 1],
      ['c', 1, 9],
      ['d', 1, 2],
      ['e', 500, 50],
      ['f', 1, 1],
    ] as const) {
      void commits.add(job, bytes, blocks);
    }
    for (let written = 0; written < 5; written++) {
      await nextTurn();
      writes[written]?.done.resolve([]);
    }
    await nextTurn();
    expect(writes.map(({ jobs }) => jobs)).toEqual([['a', 'b'], ['c'], ['d'], ['e'], ['f']]);
  });

  it('fails all jobs of a group that fails, and goes on with the next', async () => {
    const { commits, writes } = byHand({ bytes: 2, blocks: 10 });
    const first = Promise.allSettled([commits.add('a', 1, 1), commits.add('b', 1, 1)]);
    const second = commits.add('c', 1, 1);
    await nextTurn();
    writes[0]!.done.reject(new Error('disk'));
    expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await nextTurn();
    writes[1]!.done.resolve(['fine']);
    expect(await second).toBe('fine');
  });

  it('starts anew after it was idle', async () => {
    const { commits, writes } = byHand();
    for (const round of [0, 1, 2]) {
      const outcome = commits.add('a', 1, 1);
      await nextTurn();
      writes[round]!.done.resolve([`round ${round}`]);
      expect(await outcome).toBe(`round ${round}`);
    }
  });
});
