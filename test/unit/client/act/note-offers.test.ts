import { expect, test } from 'vitest';
import { noteOffers } from '../../../../client/act/upload/note-offers.js';
import { situationOf } from '../../../../client/plan/situation.js';
import { LocalBlockIndex } from '../../../../client/state/local-block-index.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import type { StateChanges } from '../../../../client/state/tree-store.js';
import { operation } from '../../../support/client/upload-world.js';
import { DELETION, DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';

test('what is past is not what the folder was made from: it is said, and noted by nobody', async () => {
  const store = new MemoryTreeStore();
  const past = itemFrom('a', [stateBy('e', 1, 1, DELETION)]);
  const stands = itemFrom('a', [stateBy('f', 1, 2, 'theirs')]);
  const { path } = past;
  const trees = new Map([[path, stands]]);
  await store.write({ remote: trees, synced: trees, provisional: new Map([[path, past]]) });
  const again = { ...operation('a', { from: 'deletion', synced: undefined }), offer: past, again: past };
  const index = new LocalBlockIndex(store.local);
  await noteOffers([{ operation: { ...again, isPast: true }, item: past, entry: undefined }], store, index);
  const both = itemFrom('a', [stateBy('f', 1, 2, 'theirs'), stateBy('e', 1, 1, DELETION)]);
  await store.write({ remote: new Map([[path, both]]) });
  expect(situationOf(store, path)).toMatchObject({ base: stands, isNewsToUs: false });
});

test('what is about to be sent is durable before: after a loss of power its number would be given to another change', async () => {
  const steps: string[] = [];
  const store = new MemoryTreeStore();
  const watched = Object.assign(Object.create(store) as MemoryTreeStore, {
    write: (changes: StateChanges) => store.write(changes).then(() => void steps.push('written')),
    durable: () => store.durable().then(() => void steps.push('durable')),
  });
  const item = itemFrom('a', [stateBy('e', 1, 1, DIRECTORY)]);
  const entry = { kind: 'directory', path: item.path } as const;
  const own = operation('a', { from: 'folder', entry, synced: undefined });
  await noteOffers([{ operation: own, item, entry }], watched, new LocalBlockIndex(store.local));
  expect([store.offered.get(item.path), steps]).toEqual([item, ['written', 'durable']]);
});
