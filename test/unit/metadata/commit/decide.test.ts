import { describe, expect, it } from 'vitest';
import { hashCount } from '../../../../common/block-hash.js';
import { decodeItem } from '../../../../common/feed/item-codec.js';
import { advanceVersion } from '../../../../common/feed/version.js';
import type { Item } from '../../../../common/feed/item.js';
import type { DeviceId } from '../../../../common/ids.js';
import { metadataLimits, wireLimits } from '../../../../common/limits.js';
import {
  decideCommit,
  headOf,
  isContested,
  missingBlocks,
  type CommitDecision,
  type CurrentItem,
} from '../../../../metadata/commit/decide.js';
import { cursor, fileOf, hashesNamed, itemAt, newItem } from '../../../support/metadata/samples.js';

const deletion = { kind: 'deletion' } as const;
const feed = { cursor: cursor(10), itemCount: 5, itemBytes: 100 };

/** What a path holds, as a store would present it to a commit of `next`. */
function holding(held: Item, next: Item): CurrentItem {
  const head = headOf({ ...newItem(held), cursor: cursor(7), supersedes: undefined });
  return { head, content: isContested(next, head.version) ? newItem(held) : undefined };
}

/** Commits `next` where its path holds `held`. */
function commit(next: Item, held?: Item): CommitDecision {
  const current = [held === undefined ? undefined : holding(held, next)];
  return decideCommit({ feed, current, missing: Buffer.alloc(0) }, { items: [newItem(next)], stored: [] });
}

describe('decideCommit', () => {
  it('places a new item at the end of the feed', () => {
    const next = itemAt('a', { ana: 1 }, fileOf('1'));
    expect(commit(next)).toMatchObject({
      feed: { cursor: 11, itemCount: 6, itemBytes: 110 },
      writes: [{ cursor: 11, item: next, supersedes: undefined }],
      conflicts: [],
    });
  });

  it('lets a successor supersede what is held, without looking at its content', () => {
    const held = itemAt('a', { ana: 1 }, fileOf('1', '2'));
    const next = itemAt('a', { ana: 2 }, fileOf('1'));
    expect(holding(held, next).content).toBeUndefined();
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

  it.each([
    ['a dominated', { ana: 1 }, { ana: 2 }],
    ['a concurrent', { ana: 1 }, { ben: 1 }],
    ['an equal', { ana: 1 }, { ana: 1 }],
  ])('calls other content with %s version a conflict', (_what, given, held) => {
    const current = itemAt('a', held, fileOf('1'));
    expect(commit(itemAt('a', given, fileOf('2')), current)).toEqual({
      feed,
      missing: Buffer.alloc(0),
      conflicts: [{ index: 0, cursor: 7, current }],
      writes: [],
    });
  });

  it.each([
    ['a dominated', { ana: 1 }, { ana: 2 }],
    ['an equal', { ana: 1 }, { ana: 1 }],
  ])('accepts the same content with %s version, and moves nothing', (_what, given, held) => {
    const decision = commit(itemAt('a', given, fileOf('1')), itemAt('a', held, fileOf('1')));
    expect(decision).toMatchObject({ feed, conflicts: [], writes: [] });
  });

  it('joins concurrent versions of the same content', () => {
    const held = itemAt('a', { ana: 2, ben: 1 }, fileOf('1'));
    const { conflicts, writes } = commit(itemAt('a', { ana: 1, cai: 4 }, fileOf('1')), held);
    expect(conflicts).toEqual([]);
    const joined = itemAt('a', { ana: 2, ben: 1, cai: 4 }, fileOf('1'));
    expect(writes).toMatchObject([{ cursor: 11, item: joined, supersedes: 7 }]);
    expect(decodeItem(writes[0]!.encoded)).toEqual({ ...joined, content: decodeItem(newItem(joined).encoded).content });
  });

  it('calls it a conflict where the joined version would be too long', () => {
    const many = Object.fromEntries(Array.from({ length: wireLimits.versionEntries }, (_, index) => [`d${index}`, 1]));
    const held = itemAt('a', many);
    expect(commit({ ...held, version: advanceVersion([], 'f'.repeat(32) as DeviceId) }, held).conflicts).toHaveLength(
      1,
    );
  });

  it('gives dense cursors to what is written, and none to what is not', () => {
    const items = [itemAt('a'), itemAt('b', { ben: 1 }, fileOf('1')), itemAt('c')];
    const current = [undefined, holding(itemAt('b'), items[1]!), undefined];
    const state = { feed, current, missing: Buffer.alloc(0) };
    const decision = decideCommit(state, { items: items.map(newItem), stored: [] });
    expect(decision.writes.map((write) => `${write.cursor} ${write.item.path}`)).toEqual(['11 a', '12 c']);
    expect(decision.conflicts.map(({ index }) => index)).toEqual([1]);
    expect(decision.feed.cursor).toBe(12);
  });

  it('writes nothing while a block is missing', () => {
    const missing = hashesNamed('1');
    const decision = decideCommit({ feed, current: [], missing }, { items: [newItem(itemAt('a'))], stored: [] });
    expect(decision).toEqual({ feed, missing, conflicts: [], writes: [] });
  });

  it('refuses conflicts that would not fit into an answer', () => {
    const next = itemAt('a', { ben: 1 });
    const large = { ...holding(itemAt('a', { ana: 1 }, fileOf('1')), next) };
    const content = { ...large.content!, encoded: Buffer.alloc(metadataLimits.conflictBytes / 2 + 1) };
    const current = [{ ...large, content }];
    const one = { items: [newItem(next)], stored: [] };
    expect(decideCommit({ feed, current, missing: Buffer.alloc(0) }, one).conflicts).toHaveLength(1);
    const two = { items: [newItem(next), newItem(next)], stored: [] };
    expect(() => decideCommit({ feed, current: [...current, ...current], missing: Buffer.alloc(0) }, two)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field: 'items' } }),
    );
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

  it('names no more than a message may list', () => {
    const names = Array.from({ length: wireLimits.hashesPerMessage + 5 }, (_, index) => String(index));
    const missing = missingBlocks([newItem(itemAt('a', { ana: 1 }, fileOf(...names)))], () => false);
    expect(hashCount(missing)).toBe(wireLimits.hashesPerMessage);
  });
});
