import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { DrystoneError } from '../../../../common/errors.js';
import { settle } from '../../../../common/feed/conflicts.js';
import type { FileContent, Item, ItemContent, ItemPath } from '../../../../common/feed/item.js';
import { sameItem } from '../../../../common/feed/merge.js';
import { wireLimits } from '../../../../common/limits.js';
import { hexes, operation, UploadWorld } from '../../../support/client/upload-world.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';
import { seededRandom } from '../../../support/seeded-random.js';

let world: UploadWorld;
beforeEach(() => {
  world = new UploadWorld();
});

test('files are committed once their blocks are stored, and no block is put that is there', async () => {
  const [a, b] = [world.file('a', 'one'), world.file('b', 'two')];
  await world.upload(a);
  await world.upload(a, b, world.file('c', 'two'), world.file('empty', ''));
  expect(world.put).toHaveLength(2);
  expect(world.told('committed').sort()).toEqual(['a', 'a', 'b', 'c', 'empty']);
  expect(world.tally.summary()).toMatchObject({ blocksAsked: 3, blocksMissing: 2, blocksUploaded: 2, bytesSaved: 6 });
});

test('of a file that was synced before, only what the target lacks is read a second time and put', async () => {
  const content = seededRandom('known').bytes(3 * 1024 * 1024);
  await world.upload(world.file('big', content));
  const known = world.blocksCommitted();
  const lost = hexes(known.hashes)[1]!;
  world.present.delete(lost);
  world.put.length = 0;
  await world.upload(world.file('big', Buffer.concat([content, Buffer.from('more')]), known));
  expect(world.told('committed')).toEqual(['big', 'big']);
  const last = hexes(world.blocksCommitted().hashes).at(-1)!;
  expect(world.put).toEqual([lost, last]);
});

test('a block that is lacked and has changed in the meantime ends the upload, and nothing is committed', async () => {
  const content = seededRandom('changing').bytes(3 * 1024 * 1024);
  await world.upload(world.file('big', content));
  const known = world.blocksCommitted();
  world.present.clear();
  world.beforeAnswer = () => writeFileSync(join(world.root, 'big'), 'something else');
  await expect(world.upload(world.file('big', content, known))).rejects.toMatchObject({ reason: 'FILE_UNSTABLE' });
  expect(world.told('committed')).toEqual(['big']);
});

test.each([
  [true, undefined],
  [false, 30_000],
])('what a full target asks to wait counts only where no other is there: %s', async (hasOther, retryAfterMs) => {
  world.putsBeforeFailure = 0;
  world.hasOtherTarget = hasOther;
  world.targetFailure = new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', 'full', { retryAfterMs: 30_000 });
  const failure: unknown = await world.upload(world.file('a', 'one')).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: 'UNAVAILABLE', reason: 'DISK_FULL' });
  expect((failure as DrystoneError).details.retryAfterMs).toBe(retryAfterMs);
});

test('an agent that stands in gets no receipts, and what it takes is not taken for committed', async () => {
  world.isProvisional = true;
  await world.upload(world.file('a', 'one'), world.file('b', 'one'));
  expect(world.put).toHaveLength(1);
  expect(world.pushes.flatMap(({ receipts }) => receipts)).toEqual([]);
  expect(world.outcomes).toMatchObject([{ isProvisional: true }, { isProvisional: true }]);
  expect(world.cursors, 'its cursors are not those of metadata').toEqual([]);
});

test('where blocks go nowhere files are cut and told, and no block is asked about, kept in memory or sent', async () => {
  [world.isProvisional, world.takesBlocks] = [true, false];
  await world.upload(world.file('a', 'one'), world.file('big', seededRandom('kept').bytes(3 * 1024 * 1024)));
  expect(world.outcomes).toMatchObject([{ outcome: 'committed' }, { outcome: 'committed' }]);
  expect(hexes(world.blocksCommitted().hashes).length).toBeGreaterThan(0);
  expect(world.tally.summary()).toMatchObject({ blocksAsked: 0, blocksUploaded: 0, bytesUploaded: 0, bytesSaved: 0 });
});

test('receipts are taken to metadata while a file is still on its way, so what broke off goes on where it was', async () => {
  const big = world.file('big', seededRandom('upload').bytes(6 * 1024 * 1024));
  world.putsBeforeFailure = 5;
  await expect(world.upload(big)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(world.targetFailures).toBe(1);
  expect(world.told('committed')).toEqual([]);
  const known = world.present.size;
  expect(known).toBeGreaterThan(0);
  world.putsBeforeFailure = Infinity;
  await world.upload(big);
  expect(world.told('committed')).toEqual(['big']);
  const again = world.put.length - new Set(world.put).size;
  expect(again).toBeLessThanOrEqual(5 - known);
});

test('the bytes of a block last until it is stored, and no longer', async () => {
  await world.upload(world.file('big', seededRandom('upload').bytes(6 * 1024 * 1024)));
  expect(world.told('committed')).toEqual(['big']);
  expect(world.bytesPut.length).toBeGreaterThan(3);
  expect(world.bytesPut.map(({ length }) => length)).toEqual(world.bytesPut.map(() => 0));
});

test('what commits say is missing is told, and the rest of the message is committed', async () => {
  const [gone, fine] = [world.file('gone', 'gone'), world.file('fine', 'fine')];
  await world.upload(gone, fine);
  world.outcomes.length = 0;
  world.lost.add([...world.present][0]!);
  await world.upload(gone, fine);
  const [first] = world.told('missing');
  expect([first, ...world.told('committed')].sort()).toEqual(['fine', 'gone']);
});

test('a file that changes is told of, and never committed half', async () => {
  const changing = world.file('changing', 'before');
  const unchanged = world.file('unchanged', 'text');
  writeFileSync(join(world.root, 'changing'), 'after!');
  await world.upload(changing, unchanged);
  expect(world.told('changed')).toEqual(['changing']);
  expect(world.told('committed')).toEqual(['unchanged']);
});

test('a rename enters the feed in one message, deletions come last, parents of them after their children', async () => {
  const moved = world.file('new name', 'moved');
  await world.upload(world.file('old', 'moved'));
  const [done] = world.outcomes;
  const synced = done?.outcome === 'committed' ? done.item : undefined;
  world.pushes.length = 0;
  await world.upload(
    moved,
    operation('d/gone', { from: 'deletion', synced: undefined }),
    operation('d', { from: 'deletion', synced: undefined }),
    operation('old', { from: 'deletion', synced: synced! }),
  );
  const messages = world.pushes.map(({ items }) => items.map(({ path }) => path)).filter((paths) => paths.length > 0);
  expect(messages.flat()).toEqual(['new name', 'old', 'd/gone', 'd']);
  expect(messages[0]?.slice(0, 2)).toEqual(['new name', 'old']);
});

test('no message has more items than the contract allows', async () => {
  const directories = Array.from({ length: 2500 }, (_, index) => {
    const path = `d${index}` as ItemPath;
    return operation(path, { from: 'folder', entry: { kind: 'directory', path }, synced: undefined });
  });
  await world.upload(...directories);
  expect(world.told('committed')).toHaveLength(2500);
  expect(Math.max(...world.pushes.map(({ items }) => items.length))).toBe(wireLimits.itemsPerCommit);
});

test('an item that met another one is told of with what the namespace holds now', async () => {
  const theirs = itemFrom('a', [stateBy('f', 1, 5, 'theirs')]);
  world.held.set('a', theirs);
  await world.upload(world.file('a', 'ours'));
  expect(world.outcomes).toMatchObject([
    { outcome: 'committed', item: { rivals: [] }, held: { rivals: [{ content: theirs.content }] } },
  ]);
});

test('what is held in the place of an item, or beside it, is looked at before anything is made of it', async () => {
  world.held.set('a', itemFrom('a', [stateBy('f', 1, 5, 'theirs')]));
  const notAlone = new DrystoneError('FAILED_PRECONDITION', 'STATE_NOT_ALONE', 'another one like it');
  world.checkHeld = ({ rivals, path }) => {
    expect([path, rivals.length]).toEqual(['a', 1]);
    throw notAlone;
  };
  await expect(world.upload(world.file('a', 'ours'))).rejects.toBe(notAlone);
  expect(world.outcomes).toEqual([]);
});

test('an item that was not taken is told of with what is held instead', async () => {
  const theirs = itemFrom('a', [stateBy('f', 1, 5, 'theirs')]);
  world.held.set('a', theirs);
  world.declines = true;
  await world.upload(world.file('a', 'ours'));
  const [outcome] = world.outcomes;
  expect(outcome).toMatchObject({ outcome: 'declined', held: { author: theirs.author } });
});

test('what is said again is said as it was, and not at all where the file is another by now', async () => {
  const file = world.file('a', 'text');
  await world.upload(file);
  const [first] = world.outcomes;
  const said = first?.outcome === 'committed' ? first.item : undefined;
  await world.upload({ ...file, offer: said!, again: said });
  expect(world.told('committed')).toEqual(['a', 'a']);
  expect(world.noted.map((items) => sameItem(items[0]!, said!))).toEqual([true, true]);
  world.pushes.length = 0;
  await world.upload({ ...world.file('a', 'other'), offer: said!, again: said });
  expect(world.told('read')).toEqual(['a']);
  expect(world.pushes.flatMap(({ items }) => items)).toEqual([]);
});

test('what is said again after others attributes were taken is said as it was, with the bytes of the file', async () => {
  const file = world.file('a', 'text');
  await world.upload(file);
  const [first] = world.outcomes;
  const said = first?.outcome === 'committed' ? first.item : undefined;
  const content: ItemContent = { ...(said!.content as FileContent), modifiedAtMs: 1, executable: true };
  const past: Item = { ...said!, content };
  world.held.clear();
  await world.upload({ ...file, offer: past, again: past, isPast: true });
  expect(world.told('committed')).toEqual(['a', 'a']);
  expect(world.noted.map((items) => sameItem(items[0]!, past))).toEqual([false, true]);
  await world.upload({ ...world.file('a', 'other'), offer: past, again: past, isPast: true });
  expect(world.told('read')).toEqual(['a']);
});

test('conflicted copies and what they settle travel in one message, by themselves, or not at all', async () => {
  const contested = itemFrom('p', [stateBy('a', 1, 5, 'ours'), stateBy('b', 1, 6, 'theirs')]);
  const { copies, item } = settle(contested);
  const settling = { kind: 'settle', path: item.path, items: [...copies, item], known: [], alike: [] } as const;
  await world.upload(settling, operation('d', { from: 'deletion', synced: undefined }));
  expect(world.told('missing')).toEqual([copies[0]!.path, 'p']);
  expect(world.told('committed')).toEqual(['d']);
  for (const { content } of [...copies, item]) {
    if (content.kind === 'file') for (const hex of hexes(content.blocks.hashes)) world.present.add(hex);
  }
  world.pushes.length = 0;
  const directoryAt = (path: string) =>
    operation(path, { from: 'folder', entry: { kind: 'directory', path: path as ItemPath }, synced: undefined });
  await world.upload(directoryAt('e'), settling, directoryAt('f'));
  const messages = world.pushes.filter(({ items }) => items.length > 0);
  expect(messages.map(({ items }) => items.map(({ path }) => path))).toEqual([['e'], [copies[0]!.path, 'p'], ['f']]);
});

test('a path that comes twice is sent in two messages', async () => {
  const directory = operation('d', {
    from: 'folder',
    entry: { kind: 'directory', path: 'd' as ItemPath },
    synced: undefined,
  });
  const settling = {
    kind: 'settle',
    path: 'd' as ItemPath,
    items: [itemFrom('d', [stateBy('a', 1, 5, DIRECTORY)])],
    known: [],
    alike: [],
  } as const;
  await world.upload(directory, settling);
  expect(world.pushes.map(({ items }) => items.length).filter((count) => count > 0)).toEqual([1, 1]);
});

test('a rename whose content is lost at the agents is committed whole or not at all', async () => {
  await world.upload(world.file('old', 'moved'));
  const [done] = world.outcomes;
  const synced = done?.outcome === 'committed' ? done.item : undefined;
  world.lost.add([...world.present][0]!);
  world.outcomes.length = 0;
  world.held.delete('old');
  await world.upload(world.file('new', 'moved'), operation('old', { from: 'deletion', synced }, 2));
  expect(world.told('missing').sort()).toEqual(['new', 'old']);
  expect(world.told('committed')).toEqual([]);
});
