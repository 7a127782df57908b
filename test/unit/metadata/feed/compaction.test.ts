import { describe, expect, test } from 'vitest';
import type { Cursor } from '../../../../common/ids.js';
import { metadataLimits } from '../../../../common/limits.js';
import { forgettableThrough, marksAt } from '../../../../metadata/feed/compaction.js';
import type { FeedMark, ReplicaRow } from '../../../../metadata/store/rows.js';
import { replicaNamed } from '../../../support/metadata/samples.js';

const { tombstoneAgeMs, tombstoneKeptMs, feedMarkMs } = metadataLimits;
const NOW_MS = 2_000_000_000_000;

function markAt(cursor: number, ageMs: number): FeedMark {
  return { cursor: cursor as Cursor, atMs: NOW_MS - ageMs };
}

function replica(seen: number, ageMs = 0): ReplicaRow {
  return { id: replicaNamed(`${seen} ${ageMs}`), seen: seen as Cursor, heardAtMs: NOW_MS - ageMs };
}

describe('what may be forgotten', () => {
  const marks = [markAt(10, tombstoneAgeMs), markAt(20, tombstoneKeptMs), markAt(30, 0)];
  const through = (...replicas: readonly ReplicaRow[]): number =>
    forgettableThrough({ marks, forgottenThrough: 0 as Cursor }, replicas, NOW_MS);

  test('is what all replicas have seen, and what is old', () => {
    expect(through(replica(15), replica(18))).toBe(15);
    expect(through(replica(5), replica(18))).toBe(10);
  });

  test('is nothing that is young, whoever has seen it', () => {
    expect(through(replica(30))).toBe(20);
  });

  test('is what is old alone where nobody is known', () => {
    expect(through()).toBe(10);
  });

  test('does not wait for a replica that has been away for as long', () => {
    expect(through(replica(5, tombstoneAgeMs + 1), replica(18))).toBe(18);
    expect(through(replica(5, tombstoneAgeMs), replica(18))).toBe(10);
  });

  test('is nothing in a feed of unknown age', () => {
    expect(forgettableThrough({ marks: [], forgottenThrough: 0 as Cursor }, [replica(9)], NOW_MS)).toBe(0);
  });
});

describe('marks', () => {
  test('are made where the feed has moved, and not too often', () => {
    const first = marksAt([], 3 as Cursor, NOW_MS);
    expect(first).toEqual([{ cursor: 3, atMs: NOW_MS }]);
    expect(marksAt([], 0 as Cursor, NOW_MS)).toEqual([]);
    expect(marksAt(first, 3 as Cursor, NOW_MS + 2 * feedMarkMs)).toBe(first);
    expect(marksAt(first, 4 as Cursor, NOW_MS + feedMarkMs - 1)).toBe(first);
    expect(marksAt(first, 4 as Cursor, NOW_MS + feedMarkMs)).toHaveLength(2);
  });

  test('are few, however long the feed lives', () => {
    let marks: readonly FeedMark[] = [];
    for (let step = 1; step <= 2000; step++) marks = marksAt(marks, step as Cursor, NOW_MS + step * feedMarkMs);
    expect(marks.length).toBeLessThanOrEqual(tombstoneAgeMs / feedMarkMs + 2);
    const nowMs = NOW_MS + 2000 * feedMarkMs;
    expect(forgettableThrough({ marks, forgottenThrough: 0 as Cursor }, [], nowMs)).toBe(
      2000 - tombstoneAgeMs / feedMarkMs,
    );
  });
});
