import { describe, expect, it } from 'vitest';
import { conflictsOf, settle, settleAsDirectory } from '../../../../common/feed/conflicts.js';
import { mergeItems } from '../../../../common/feed/merge.js';
import { compareVersions, joinVersions } from '../../../../common/feed/version.js';
import { textFile } from '../../../support/feed/history.js';
import { DELETION, DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const NOON = Date.UTC(2026, 10, 25, 12);
const ours = stateBy('a', 1, NOON, 'ours');
const theirs = stateBy('b', 4, NOON + 1, 'theirs');
const COPY = 'd/p (conflicted copy, aaaaaaaa, 2026-11-25).txt';

describe('conflicts', () => {
  it('are the rivals that people would miss', () => {
    expect(conflictsOf(itemFrom('p', [ours]))).toEqual([]);
    expect(conflictsOf(itemFrom('p', [theirs, ours]))).toEqual([ours]);
    const link = stateBy('c', 1, 5, { kind: 'symlink', target: 'x' });
    expect(conflictsOf(itemFrom('p', [theirs, ours, link]))).toEqual([ours, link]);
    expect(conflictsOf(itemFrom('p', [stateBy('c', 1, 1, DIRECTORY), ours]))).toEqual([ours]);
  });

  it('are no deletions, and no bytes that are there already', () => {
    const same = stateBy('c', 1, 5, { ...textFile('theirs'), modifiedAtMs: 77, executable: true });
    const again = stateBy('d', 1, 5, 'ours');
    expect(conflictsOf(itemFrom('p', [theirs, same, stateBy('e', 1, 5, DELETION)]))).toEqual([]);
    expect(conflictsOf(itemFrom('p', [theirs, ours, again]))).toEqual([ours]);
    expect(conflictsOf(itemFrom('p', [stateBy('a', 1, 1, DIRECTORY), stateBy('b', 1, 2, DIRECTORY)]))).toEqual([]);
  });
});

describe('settling', () => {
  const item = itemFrom('d/p.txt', [theirs, ours]);

  it('puts each conflict under a name of its own, and leaves the path to what stands', () => {
    const { copies, item: settled } = settle(item);
    expect(copies).toMatchObject([{ path: COPY, content: ours.content, at: ours.at, author: ours.author, rivals: [] }]);
    expect(settled).toMatchObject({ path: 'd/p.txt', content: theirs.content, rivals: [] });
    expect(compareVersions(settled.version, item.version)).toBe('equal');
    expect(mergeItems(item, settled)).toBe(settled);
  });

  it('is the same whoever does it, however much of the rest they know', () => {
    const more = itemFrom('d/p.txt', [theirs, ours, stateBy('c', 9, 2, 'a third')]);
    const copies = [settle(item), settle(more)].map((settlement) =>
      settlement.copies.find(({ path }) => path === COPY),
    );
    expect(copies[0]).toEqual(copies[1]);
  });

  it('does not bring back a copy that somebody has deleted', () => {
    const [copy] = settle(item).copies;
    const deleted = itemFrom(COPY, [stateBy('c', 1, NOON + 9, DELETION)]);
    const deletion = { ...deleted, version: joinVersions(copy!.version, deleted.version) };
    expect(mergeItems(deletion, copy!)).toBe(deletion);
  });

  it('gives the copies of two changes of one device, on one day, two names', () => {
    const later = stateBy('a', 7, NOON + 5, 'ours, later');
    const [copy] = settle(itemFrom('d/p.txt', [stateBy('b', 9, NOON + 9, 'theirs, later'), later])).copies;
    expect(copy?.path).toBe('d/p (conflicted copy, aaaaaaaa, 2026-11-25, 7).txt');
  });

  it('puts two copies that come by one name into one item, where they are rivals', () => {
    const elsewhere = {
      ...stateBy('a', 1, NOON - 1, 'ours, in another folder'),
      change: stateBy('c', 1, 0, '').change,
    };
    const { copies } = settle(itemFrom('d/p.txt', [theirs, ours, elsewhere]));
    expect(copies).toMatchObject([{ path: COPY, content: ours.content, rivals: [{ content: elsewhere.content }] }]);
    const [copy] = settle(copies[0]!).copies;
    expect(copy?.path).toBe(COPY.replace('.txt', ' (conflicted copy, aaaaaaaa, 2026-11-25).txt'));
  });

  it('numbers a copy apart from what its author changes at that path', () => {
    const [copy] = settle(item).copies;
    const own = itemFrom(COPY, [stateBy('a', 5, NOON, 'came by the name by chance')]);
    const both = mergeItems(copy!, own);
    expect([both.content, ...both.rivals.map(({ content }) => content)]).toHaveLength(2);
  });

  it('of a file with items below it keeps the file beside the directory', () => {
    const { copies, item: directory } = settleAsDirectory(item);
    expect(copies.map(({ path, content }) => [path, content])).toEqual([
      ['d/p (conflicted copy, bbbbbbbb, 2026-11-25, 4).txt', theirs.content],
      [COPY, ours.content],
    ]);
    expect(directory).toMatchObject({ path: 'd/p.txt', content: DIRECTORY, rivals: [] });
    expect(compareVersions(directory.version, item.version)).toBe('dominates');
    expect(settleAsDirectory(item)).toEqual(settleAsDirectory({ ...item }));
  });
});
