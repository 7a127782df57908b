import { describe, expect, it } from 'vitest';
import { hashCount } from '../../../../common/block-hash.js';
import { settle, settleAsDirectory } from '../../../../common/feed/conflicts.js';
import {
  contentsNeeded,
  type CurrentItem,
  decidePush,
  type PushDecision,
} from '../../../../common/feed/decide-push.js';
import { decodeItem } from '../../../../common/feed/item-codec.js';
import type { Item } from '../../../../common/feed/item.js';
import { mergeItems } from '../../../../common/feed/merge.js';
import { missingBlocks } from '../../../../common/feed/named-blocks.js';
import { headOf } from '../../../../common/feed/placement.js';
import { feedLimits, wireLimits } from '../../../../common/limits.js';
import type { CommitBatch } from '../../../../metadata/commit/commit-batch.js';
import {
  contestedAt,
  cursor,
  deviceNamed,
  fileOf,
  hashesNamed,
  itemAt,
  newItem,
} from '../../../support/metadata/samples.js';

const deletion = { kind: 'deletion' } as const;
const feed = { cursor: cursor(10), itemCount: 5, itemBytes: 100 };

/** What a path holds, as a store would present it to a commit of `batch`. */
function holding(held: Item, next: Item, batch: CommitBatch): CurrentItem {
  const head = headOf({ ...newItem(held), cursor: cursor(7), supersedes: undefined });
  return { head, content: contentsNeeded(batch)(next, head.version) ? newItem(held) : undefined };
}

/** Commits items where their paths hold what `held` has of them. */
function commitAll(items: readonly Item[], held: readonly Item[], committer?: string, isRelayed = false): PushDecision {
  const device = committer === undefined ? {} : { committer: deviceNamed(committer) };
  const batch = { items: items.map(newItem), stored: [], isRelayed, ...device };
  const current = items.map((next) => {
    const there = held.find(({ path }) => path === next.path);
    return there === undefined ? undefined : holding(there, next, batch);
  });
  return decidePush({ feed, current, missing: Buffer.alloc(0) }, batch);
}

/** Commits `next` where its path holds `held`. */
function commit(next: Item, held?: Item): PushDecision {
  return commitAll([next], held === undefined ? [] : [held]);
}

describe('decidePush', () => {
  it('places a new item at the end of the feed', () => {
    const next = itemAt('a', { ana: 1 }, fileOf('1'));
    expect(commit(next)).toMatchObject({
      feed: { cursor: 11, itemCount: 6, itemBytes: 110 },
      writes: [{ cursor: 11, item: next, supersedes: undefined }],
      merged: [],
    });
  });

  it('lets a successor supersede what is held, without looking at its content', () => {
    const held = itemAt('a', { ana: 1 }, fileOf('1', '2'));
    const next = itemAt('a', { ana: 2 }, fileOf('1'));
    expect(holding(held, next, { items: [newItem(next)], stored: [] }).content).toBeUndefined();
    expect(commit(next, held)).toMatchObject({
      feed: { cursor: 11, itemCount: 5, itemBytes: 90 },
      writes: [{ cursor: 11, supersedes: 7 }],
    });
  });

  it.each([
    ['a file by its deletion', fileOf('1'), deletion, { itemCount: 4, itemBytes: 90 }],
    ['a deletion by a file', deletion, fileOf('1'), { itemCount: 6, itemBytes: 110 }],
    ['a deletion by a deletion', deletion, deletion, { itemCount: 5, itemBytes: 100 }],
    ['a file by a directory', fileOf('1', '2'), { kind: 'directory' } as const, { itemCount: 5, itemBytes: 80 }],
  ])('counts when %s is superseded', (_what, held, next, totals) => {
    expect(commit(itemAt('a', { ana: 2 }, next), itemAt('a', { ana: 1 }, held)).feed).toMatchObject(totals);
  });

  it('merges a change with one made at the same time, writes what comes of it, and says so', () => {
    const held = itemAt('a', { ana: 1 }, fileOf('1'));
    const next = itemAt('a', { ben: 2 }, fileOf('2', '3'));
    const item = mergeItems(held, next);
    expect(item.content).toBe(next.content);
    const decision = commit(next, held);
    expect(decision).toEqual({
      feed: { cursor: 11, itemCount: 5, itemBytes: 110 },
      missing: Buffer.alloc(0),
      merged: [{ index: 0, current: { cursor: 11, item } }],
      writes: [{ cursor: 11, item, encoded: newItem(item).encoded, supersedes: 7 }],
    });
    expect(decodeItem(decision.writes[0]!.encoded)).toMatchObject({ rivals: [{ author: held.author }] });
  });

  it('leaves the path to what is held where that stands, and keeps the change as a rival', () => {
    const held = itemAt('a', { ana: 2 }, fileOf('1'));
    const { feed: after, writes, merged } = commit(itemAt('a', { ben: 1 }, fileOf('2', '3')), held);
    expect(after).toMatchObject({ cursor: 11, itemBytes: 100 });
    expect(writes).toMatchObject([{ item: { content: held.content, rivals: [{ content: fileOf('2', '3') }] } }]);
    expect(merged).toMatchObject([{ index: 0, current: { cursor: 11, item: { content: held.content } } }]);
  });

  it('moves nothing for what is held already', () => {
    const held = itemAt('a', { ana: 1 }, fileOf('1'));
    expect(commit(held, held)).toEqual({ feed, missing: Buffer.alloc(0), merged: [], writes: [] });
    const contested = contestedAt('a', ['ana', fileOf('1')], ['ben', fileOf('2')]);
    expect(commit(contested, contested)).toMatchObject({ feed, merged: [], writes: [] });
  });

  it('says what is held where a change was replaced since, and moves nothing', () => {
    const held = itemAt('a', { ana: 1, ben: 1 }, fileOf('2'));
    const decision = commit(itemAt('a', { ana: 1 }, fileOf('1')), held);
    expect(decision).toMatchObject({ feed, writes: [], merged: [{ index: 0, current: { cursor: 7, item: held } }] });
  });

  it('takes rivals away where an item settles them', () => {
    const held = contestedAt('a', ['ana', fileOf('1')], ['ben', fileOf('2')]);
    const { copies, item } = settle(held);
    const decision = commitAll([...copies, item], [held]);
    expect(decision.merged).toEqual([]);
    expect(decision.writes.map((write) => write.item)).toEqual([...copies, item]);
  });

  it('does not take another state under a change that is known, and says what is held', () => {
    const held = itemAt('a', { ana: 1 }, fileOf('1'));
    expect(commit(itemAt('a', { ana: 1 }, fileOf('2')), held)).toMatchObject({
      feed,
      writes: [],
      merged: [{ index: 0, current: { cursor: 7, item: held } }],
    });
  });

  it.each([
    ['rivals', Array.from({ length: wireLimits.rivalsPerItem + 1 }, (_, index) => `r${index}`)],
    ['replicas', Array.from({ length: wireLimits.versionEntries }, (_, index) => `r${index}`)],
  ])('does not take what would make an item of too many %s', (what, names) => {
    const contents = names.map((name) => [name, { kind: 'directory' }] as const);
    const contested = contestedAt('a', ...contents);
    const held = what === 'rivals' ? contested : { ...contested, rivals: [] };
    const decision = commit(itemAt('a', { newcomer: 1 }, fileOf('1')), held);
    expect(decision).toMatchObject({ feed, writes: [], merged: [{ index: 0, current: { cursor: 7, item: held } }] });
  });

  it('gives dense cursors to what is written, and none to what is not', () => {
    const held = itemAt('b', { ana: 1 }, fileOf('1'));
    const decision = commitAll([itemAt('a'), held, itemAt('c')], [held]);
    expect(decision.writes.map((write) => `${write.cursor} ${write.item.path}`)).toEqual(['11 a', '12 c']);
    expect(decision.feed.cursor).toBe(12);
  });

  it('writes nothing while a block is missing', () => {
    const missing = hashesNamed('1');
    const decision = decidePush({ feed, current: [], missing }, { items: [newItem(itemAt('a'))] });
    expect(decision).toEqual({ feed, missing, merged: [], writes: [] });
  });

  it('refuses what cannot be told in one answer, and tells of one item whatever its size', () => {
    const next = itemAt('a', { ben: 1 });
    const held = newItem(itemAt('a', { ana: 2 }));
    const head = headOf({ ...held, cursor: cursor(7), supersedes: undefined });
    const large = { head, content: { ...held, encoded: Buffer.alloc(feedLimits.answerBytes + 1) } };
    const stale = newItem(itemAt('a', { ana: 1 }));
    const one = { items: [stale], stored: [] };
    expect(decidePush({ feed, current: [large], missing: Buffer.alloc(0) }, one).merged).toHaveLength(1);
    const two = { items: [stale, newItem(next)], stored: [] };
    expect(() => decidePush({ feed, current: [large, large], missing: Buffer.alloc(0) }, two)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field: 'items' } }),
    );
  });
});

describe('of a device, decidePush takes', () => {
  const contested = contestedAt('a', ['ben', fileOf('1')], ['cai', fileOf('2')]);
  const { copies, item: settled } = settle(contested);

  it('its own changes', () => {
    expect(commitAll([itemAt('n')], [], 'ana').writes).toHaveLength(1);
  });

  it('no change of another device, and says that nothing is held', () => {
    expect(commitAll([itemAt('n')], [], 'ben')).toMatchObject({
      feed,
      writes: [],
      merged: [{ index: 0, current: undefined }],
    });
    const held = itemAt('n', { ana: 1 });
    expect(commitAll([itemAt('n', { ana: 2 })], [held], 'ben').merged).toMatchObject([{ current: { item: held } }]);
  });

  it('the conflicted copies of what the namespace holds, from anybody', () => {
    expect(commitAll([...copies, settled], [contested], 'ana').writes).toHaveLength(2);
    expect(commitAll([...copies, settled], [contested], 'ben').writes).toHaveLength(2);
  });

  it('no copies of what it does not hold, or holds no more', () => {
    expect(commitAll(copies, [], 'ana').writes).toEqual([]);
    const replaced = itemAt('a', { ben: 1, cai: 1, ana: 1 }, fileOf('3'));
    expect(commitAll([...copies, settled], [replaced], 'ana')).toMatchObject({
      writes: [],
      merged: [
        { index: 0, current: undefined },
        { index: 1, current: { item: replaced } },
      ],
    });
  });

  it('relayed copies of changes that it knows, whatever became of them, and of no others', () => {
    const replaced = itemAt('a', { ben: 1, cai: 1, ana: 1 }, fileOf('3'));
    const { writes, merged } = commitAll([...copies, settled], [replaced], 'ana', true);
    expect(writes.map(({ item }) => item)).toEqual(copies);
    expect(merged).toMatchObject([{ index: 1, current: { item: replaced } }]);
    // Of the change that the copy settles nothing is known here.
    const unheard = commitAll([...copies, settled], [itemAt('a', { ana: 1 })], 'ana', true);
    expect(unheard.writes.map(({ item }) => item.path)).not.toContain(copies[0]!.path);
    // What is somebody's own is nobody else's to bring.
    expect(commitAll([itemAt('n'), settled], [replaced], 'ben', true).writes).toEqual([]);
  });

  it('no word that a change is gone of which it has not heard, but from who put something in its place, or keeps it', () => {
    const held = { ...contested, version: [contested.change], rivals: [] };
    // Ben's change has not come yet, so a copy of it is nobody's to bring but his.
    expect(commitAll([...copies, settled], [held], 'ana')).toMatchObject({
      writes: [],
      merged: [
        { index: 0, current: undefined },
        { index: 1, current: { item: held } },
      ],
    });
    expect(commitAll([settled], [held], 'ana').writes).toEqual([]);
    // Nor where it settles in its own favour: its change is known, and nothing new is in the place of the other.
    expect(commitAll([...copies, settled], [held], 'cai').writes).toEqual([]);
    expect(commitAll([...copies, settled], [held], 'ben').writes).toHaveLength(2);
    // Nor where another path has a change of the same number.
    const namesake = contestedAt('b', ['ben', fileOf('1')], ['cai', fileOf('2')]);
    const both = commitAll([...copies, settled, namesake], [held, namesake], 'ana');
    expect(both.merged).toMatchObject([{ index: 0 }, { index: 1, current: { item: held } }]);
    const replaced = itemAt('a', { ben: 1, cai: 1, ana: 1 }, fileOf('3'));
    expect(commitAll([replaced], [held], 'ana').writes).toHaveLength(1);
  });

  it('no copy of what stands as long as that is not heard of which would take its place', () => {
    const [rival] = contested.rivals;
    const held = { ...contested, ...rival!, version: [rival!.change], rivals: [] };
    // Also where it is the committer's own, which stands.
    for (const committer of ['ana', 'ben']) {
      expect(commitAll([...copies, settled], [held], committer)).toMatchObject({
        writes: [],
        merged: [
          { index: 0, current: undefined },
          { index: 1, current: { item: held } },
        ],
      });
    }
    // What comes along, and has nothing to do with it, is taken.
    const writes = commitAll([...copies, itemAt('n'), settled], [held], 'ana').writes.map(({ item }) => item.path);
    expect(writes).toEqual(['n']);
  });

  it('no copy that says something else', () => {
    const [copy] = copies;
    const forged = { ...copy!, content: fileOf('3') };
    expect(commitAll([forged, settled], [contested], 'ana').writes.map(({ item }) => item.path)).toEqual(['a']);
  });

  it('the directory that a file with items below it has to be', () => {
    const { copies: both, item: directory } = settleAsDirectory(contested);
    for (const committer of ['ana', 'ben', 'cai']) {
      expect(commitAll([...both, directory], [contested], committer).writes).toHaveLength(3);
    }
  });
});

describe('missingBlocks', () => {
  it('names each block once, in the order of the items', () => {
    const items = [
      itemAt('a', { ana: 1 }, fileOf('3', '1', '3')),
      itemAt('d'),
      itemAt('b', { ana: 1 }, fileOf('2', '1', 'held')),
    ];
    const held = hashesNamed('held');
    const missing = missingBlocks(items.map(newItem), (hash) => held.equals(hash));
    expect(Buffer.from(missing)).toEqual(hashesNamed('3', '1', '2'));
  });

  it('looks at all states of an item', () => {
    const contested = contestedAt('a', ['ana', fileOf('1')], ['ben', fileOf('2')]);
    expect(Buffer.from(missingBlocks([newItem(contested)], () => false))).toEqual(hashesNamed('2', '1'));
  });

  it('names no more than a message may list', () => {
    const names = Array.from({ length: wireLimits.hashesPerMessage + 5 }, (_, index) => String(index));
    const missing = missingBlocks([newItem(itemAt('a', { ana: 1 }, fileOf(...names)))], () => false);
    expect(hashCount(missing)).toBe(wireLimits.hashesPerMessage);
  });
});
