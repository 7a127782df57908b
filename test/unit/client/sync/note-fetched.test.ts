import { beforeEach, expect, test } from 'vitest';
import { FolderPlaces } from '../../../../client/act/folder-places.js';
import type { Transfers } from '../../../../client/act/transfers.js';
import { LocalBlockIndex } from '../../../../client/state/local-block-index.js';
import type { LocalEntry, LocalFile } from '../../../../client/state/local-entry.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { StateWriter } from '../../../../client/state/state-writer.js';
import { noteFetched } from '../../../../client/sync/note-fetched.js';
import type { Item, ItemPath } from '../../../../common/feed/item.js';
import { textFile } from '../../../support/feed/history.js';
import { DELETION, itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const places = new FolderPlaces('/folder', { diskPaths: new Map() });
let store: MemoryTreeStore;
let read: string[];

beforeEach(() => {
  store = new MemoryTreeStore();
  read = [];
});

/** A file as a scan finds it, last changed when a `textFile` says it was. */
function found(path: string, text: string, executable = false): LocalFile {
  const stamp = { sizeBytes: text.length, modifiedAtNs: 0n, changedAtNs: 1n, inode: 1n };
  return { kind: 'file', path: path as ItemPath, stamp, modifiedAtMs: 0, executable, blocks: undefined };
}

/** Looks at entries whose files hold these texts. */
async function note(entries: readonly LocalEntry[], texts: Readonly<Record<string, string>>): Promise<string[]> {
  const transfers: Pick<Transfers, 'read'> = {
    read(operations, _places, onOutcomes) {
      for (const { path, file } of operations) {
        read.push(path);
        const text = texts[path];
        if (text === undefined) onOutcomes([{ outcome: 'changed', path }]);
        else onOutcomes([{ outcome: 'read', entry: { ...file, blocks: textFile(text).blocks } }]);
      }
      return Promise.resolve();
    },
  };
  const writer = new StateWriter(store, new LocalBlockIndex(store.local));
  const changes = new Map<ItemPath, LocalEntry | undefined>(entries.map((entry) => [entry.path, entry]));
  changes.set('deleted' as ItemPath, undefined);
  return [...(await noteFetched(changes, places, { store, writer, transfers }, new AbortController().signal))].sort();
}

async function known(remote: readonly Item[], synced: readonly Item[] = []): Promise<void> {
  const byPath = (items: readonly Item[]): Map<ItemPath, Item> => new Map(items.map((item) => [item.path, item]));
  await store.write({ remote: byPath(remote), synced: byPath(synced) });
}

const file = (path: string, text: string, counter = 1): Item => itemFrom(path, [stateBy('a', counter, counter, text)]);

test('what is as the namespace has it is noted, with its blocks, as what both sides agree on', async () => {
  const link = { kind: 'symlink', target: 'there' } as const;
  const items = [file('new', 'text'), file('replaced', 'next', 2), itemFrom('link', [stateBy('a', 1, 1, link)])];
  await known(items, [file('replaced', 'last', 1)]);
  const entries = [found('new', 'text'), found('replaced', 'next'), { ...link, path: 'link' as ItemPath }];
  expect(await note(entries, { new: 'text', replaced: 'next' })).toEqual(['link', 'new', 'replaced']);
  for (const item of items) expect(store.synced.get(item.path)).toEqual(item);
  expect(store.local.get('new' as ItemPath)).toEqual({ ...found('new', 'text'), blocks: textFile('text').blocks });
});

test('what an operation had in hand is noted, although the namespace has moved on from it', async () => {
  await known([file('moved on', 'next', 2), file('elsewhere', 'next', 2)]);
  const inHand = file('moved on', 'last', 1);
  await store.write({ inHand: new Map([[inHand.path, inHand]]) });
  const texts = { 'moved on': 'last', elsewhere: 'last' };
  expect(await note([found('moved on', 'last'), found('elsewhere', 'last')], texts)).toEqual(['moved on']);
  expect(store.synced.get(inHand.path)).toEqual(inHand);
  expect(store.remote.get(inHand.path)).toEqual(file('moved on', 'next', 2));
});

test('what differs stays to be decided about, and is not read where that shows already', async () => {
  const deletion = itemFrom('gone', [stateBy('a', 1, 1, DELETION)]);
  await known([
    file('other text', 'text'),
    file('longer', 'text'),
    file('runs', 'text'),
    file('vanishing', 'text'),
    deletion,
  ]);
  const entries = [
    found('other text', 'tent'),
    found('longer', 'longer'),
    found('runs', 'text', true),
    found('vanishing', 'text'),
    found('gone', 'text'),
    found('own', 'text'),
  ];
  expect(await note(entries, { 'other text': 'tent' })).toEqual([]);
  expect(read).toEqual(['other text', 'vanishing']);
  expect([...store.local.pathsBelow(''), ...store.synced.pathsBelow('')]).toEqual([]);
});

test('what both sides agree on already is left alone', async () => {
  await known([file('agreed', 'text')], [file('agreed', 'text')]);
  expect(await note([found('agreed', 'text')], { agreed: 'text' })).toEqual([]);
  expect(read).toEqual([]);
});
