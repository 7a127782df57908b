import { beforeEach, expect, it } from 'vitest';
import { FolderPlaces } from '../../../../client/act/folder-places.js';
import { carryOut, type RoundResult } from '../../../../client/act/round.js';
import type { Transfers } from '../../../../client/act/transfers.js';
import type { UploadOutcome } from '../../../../client/act/upload/pending-item.js';
import type { Disk, DiskOutcome } from '../../../../client/act/disk/disk-task.js';
import type { CommitItem, Move, Operation, Settle } from '../../../../client/plan/operation.js';
import type { SyncConflict } from '../../../../client/progress.js';
import { LocalBlockIndex } from '../../../../client/state/local-block-index.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { StateWriter } from '../../../../client/state/state-writer.js';
import { SyncTally } from '../../../../client/tally.js';
import { DrystoneError } from '../../../../common/errors.js';
import { settle } from '../../../../common/feed/conflicts.js';
import { isVoid, statesOf, type Item, type ItemPath } from '../../../../common/feed/item.js';
import type { DeviceId } from '../../../../common/ids.js';
import { localFile } from '../../../support/client/planned-trees.js';
import { operation } from '../../../support/client/upload-world.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const path = 'a' as ItemPath;
const READ_ONLY = new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', 'may only read');

let store: MemoryTreeStore;
let tally: SyncTally;
let problems: string[];
let conflicts: SyncConflict[];
/** What becomes of each change of the folder. */
let disk: DiskOutcome[];

beforeEach(() => {
  disk = [];
  store = new MemoryTreeStore();
  tally = new SyncTally();
  problems = [];
  conflicts = [];
});

const places = new FolderPlaces('/folder', { diskPaths: new Map() });

function round(
  operations: readonly Operation[],
  outcomes: readonly UploadOutcome[],
  failure?: DrystoneError,
  device = ours.author,
): Promise<RoundResult> {
  const transfers: Transfers = {
    read: () => Promise.resolve(),
    upload: (_operations, _places, onOutcomes) => {
      onOutcomes(outcomes);
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    },
    fetch: () => Promise.resolve(),
  };
  const parts = {
    device,
    disk: { changeFolder: () => Promise.resolve(disk) } as unknown as Disk,
    transfers,
    writer: new StateWriter(store, new LocalBlockIndex(store.local)),
    tally,
    onConflict: (conflict: SyncConflict) => void conflicts.push(conflict),
    onProblem: ({ name }: { readonly name: string }) => void problems.push(name),
  };
  return carryOut(operations, places, parts, new AbortController().signal);
}

const commit = (more: Partial<CommitItem> = {}): CommitItem => ({
  ...operation('a', { from: 'folder', entry: { kind: 'directory', path }, synced: undefined }),
  ...more,
});
const ours = itemFrom('a', [stateBy('e', 1, 1, DIRECTORY)]);

async function taken(operation: CommitItem, isProvisional: boolean): Promise<void> {
  await round(
    [operation],
    [{ outcome: 'committed', operation, item: ours, held: ours, isProvisional, entry: undefined }],
  );
}

it('what an agent has taken is agreed on, and noted until metadata has it; it is counted once', async () => {
  await store.write({ offered: new Map([[path, ours]]) });
  await taken(commit(), true);
  expect([store.synced.get(path), store.remote.get(path), store.provisional.get(path)]).toEqual([ours, ours, ours]);
  expect(store.offered.get(path)).toBeUndefined();
  await taken(commit({ isProvisional: true }), false);
  expect([store.provisionalCount, tally.summary().itemsCommitted]).toEqual([0, 1]);
});

it.each([
  ['alone there', ours],
  ['beside what others have', itemFrom('a', [stateBy('e', 1, 1, DIRECTORY), stateBy('f', 1, 2, 'theirs')])],
])('what was taken is planned again, %s: this folder may have heard of more', async (_where, held) => {
  const operation = commit();
  const outcome = {
    outcome: 'committed',
    operation,
    item: ours,
    held,
    isProvisional: false,
    entry: undefined,
  } as const;
  expect([...(await round([operation], [outcome])).again]).toEqual(['a']);
});

it('what metadata does not take of what an agent had taken was never agreed on, and its number is not given again', async () => {
  await store.write({ remote: new Map([[path, ours]]), synced: new Map([[path, ours]]) });
  await store.write({ provisional: new Map([[path, ours]]) });
  const theirs = itemFrom('a', [stateBy('f', 1, 1, 'theirs')]);
  const again = commit({ isProvisional: true });
  const outcome = { outcome: 'declined', operation: again, item: ours, held: theirs, entry: undefined } as const;
  const { again: planned } = await round([again], [outcome]);
  expect([...planned]).toEqual(['a']);
  expect([store.remote.get(path), store.synced.get(path), store.provisionalCount]).toEqual([theirs, undefined, 0]);
  const number = store.offered.get(path)!;
  expect([isVoid(number), number.version]).toEqual([true, ours.version]);
});

const contested = itemFrom('a', [stateBy('e', 1, 1, 'ours'), stateBy('f', 1, 2, 'theirs')]);
const { copies, item: settled } = settle(contested);
const settling: Settle = { kind: 'settle', path, items: [...copies, settled], known: [], alike: [] };

it.each([
  ['it holds one of the two', itemFrom('a', [stateBy('f', 1, 2, 'theirs')])],
  ['it holds neither', undefined],
] as [string, Item | undefined][])(
  'a conflict of which not all has arrived where it is to be settled is tried later, not at once: %s',
  async (_what, held) => {
    const outcome = { outcome: 'declined', operation: settling, item: settled, held, entry: undefined } as const;
    const { again, later, failure } = await round([settling], [outcome]);
    expect([[...again], [...later], failure?.isTransient]).toEqual([[], ['a'], true]);
  },
);

it('the same where the one it holds is the one that stands', async () => {
  const held = itemFrom('a', [stateBy('f', 1, 2, 'theirs')]);
  const isProvisional = false;
  const outcome = {
    outcome: 'committed',
    operation: settling,
    item: settled,
    held,
    isProvisional,
    entry: undefined,
  } as const;
  const { again, later } = await round([settling], [outcome]);
  expect([[...again], [...later]]).toEqual([[], ['a']]);
});

it('a conflict is over where what stands does so in the namespace, and every other side has its copy there', async () => {
  await store.write({ remote: new Map([[path, contested]]) });
  const held = itemFrom('a', [stateBy('f', 1, 2, 'theirs')]);
  const taken = { outcome: 'committed', operation: settling, isProvisional: false, entry: undefined } as const;
  const outcomes = [...copies.map((copy) => ({ ...taken, item: copy, held: copy })), { ...taken, item: settled, held }];
  const { again, later } = await round([settling], outcomes);
  expect([again.has(path), [...later], store.remote.get(path)]).toEqual([true, [], settled]);
  expect(tally.summary().conflicts).toBe(1);
});

it('what is there in the place of a copy that was not taken is planned: the feed will not tell of it again', async () => {
  const [copy] = copies as [Item];
  const held = itemFrom(copy.path, [stateBy('f', 1, 1, 'by that name')]);
  const outcome = { outcome: 'declined', operation: settling, item: copy, held, entry: undefined } as const;
  const { again } = await round([settling], [outcome]);
  expect([store.remote.get(copy.path), again.has(copy.path)]).toEqual([held, true]);
});

it('a conflict is not over where a side has not arrived that has no copy, since another is like it', async () => {
  const three = itemFrom('a', [...statesOf(contested), stateBy('d', 1, 1, 'ours')]);
  const { copies: copiesOfThree, item, alike } = settle(three);
  expect([copiesOfThree.length, alike.map(({ replicaId }) => replicaId[0])]).toEqual([1, ['e']]);
  const operation: Settle = { ...settling, items: [...copiesOfThree, item], alike };
  const taken = { outcome: 'committed', operation, isProvisional: false, entry: undefined } as const;
  const copied = copiesOfThree.map((copy) => ({ ...taken, item: copy, held: copy }));
  const declined = (held: Item) => ({ outcome: 'declined', operation, item, held, entry: undefined }) as const;
  await store.write({ remote: new Map([[path, three]]) });
  const standing = stateBy('f', 1, 2, 'theirs');
  const unheard = await round([operation], [...copied, declined(itemFrom('a', [standing], 'd1'))]);
  expect([...unheard.later]).toEqual(['a']);
  expect(store.remote.get(path)?.rivals, 'it is a side still').toMatchObject([{ change: { counter: 1 } }]);
  const heard = await round([operation], [...copied, declined(itemFrom('a', [standing], 'd1', 'e1'))]);
  expect([[...heard.later], store.remote.get(path)?.rivals]).toEqual([[], []]);
});

it.each([
  ["this device's own", (copy: Item) => copy.author, true],
  ["another device's", () => 'f'.repeat(32) as DeviceId, false],
])('whoever hears of a conflict is told that the copy is %s', async (_whose, deviceOf, isOwn) => {
  const taken = { outcome: 'committed', operation: settling, isProvisional: false, entry: undefined } as const;
  const outcomes = copies.map((copy) => ({ ...taken, item: copy, held: copy }));
  await round([settling], outcomes, undefined, deviceOf(copies[0]!));
  expect(conflicts).toEqual([{ path: 'a', keptAs: copies[0]!.path, isOwn }]);
});

it('a conflict of which the copy was there already is not told of again', async () => {
  const again = { ...settling, known: copies.map((copy) => copy.path) };
  const taken = { outcome: 'committed', operation: again, isProvisional: false, entry: undefined } as const;
  await round(
    [again],
    [...copies, settled].map((item) => ({ ...taken, item, held: item })),
  );
  expect(tally.summary().conflicts).toBe(0);
});

it('a copy that an agent has taken is to be told to metadata by its author alone, and what stands by nobody', async () => {
  const noted = async (device: DeviceId): Promise<string[]> => {
    store = new MemoryTreeStore();
    const outcomes = settling.items.map(
      (item) =>
        ({
          outcome: 'committed',
          operation: settling,
          item,
          held: item,
          isProvisional: true,
          entry: undefined,
        }) as const,
    );
    await round([settling], outcomes, undefined, device);
    return [...store.provisional.pathsBelow('')];
  };
  const copy = copies[0]!.path;
  // By its version the other side is gone, and metadata has not its copy yet.
  expect(await noted(settled.author)).toEqual([]);
  expect(await noted(copies[0]!.author)).toEqual([copy]);
  expect(await noted('0'.repeat(32) as DeviceId)).toEqual([]);
});

it('where this account may only read, changes stay with a word, and conflicts are left to others without one', async () => {
  const change: CommitItem = { ...commit(), path: 'b' as ItemPath };
  const { refused, again, later, isReadOnly } = await round([settling, change], [], READ_ONLY);
  expect([[...refused], [...again], [...later], isReadOnly, problems]).toEqual([['b'], ['a'], [], true, ['b']]);
});

it('where a reader has deleted a directory, one word is said for all that was in it', async () => {
  const gone = (name: string): CommitItem => operation(name, { from: 'deletion', synced: undefined });
  const operations = [
    gone('d/e/x'),
    gone('d/e'),
    gone('d/y'),
    gone('d'),
    gone('other/z'),
    { ...commit(), path: 'n' as ItemPath },
  ];
  const { refused } = await round(operations, [], READ_ONLY);
  expect([...refused]).toEqual(operations.map((one) => one.path));
  expect(problems).toEqual(['d', 'other/z', 'n']);
});

const moved = itemFrom('a', [stateBy('e', 1, 1, 'bytes')]) as Move['item'];
const move: Move = { kind: 'move', from: 'from' as ItemPath, path, source: localFile('from', 'bytes'), item: moved };

it.each([
  [{ outcome: 'changed' }, { lookAgain: ['a', 'from'], refused: [], later: [] }],
  [
    { outcome: 'refused', problem: 'in use' },
    { lookAgain: [], refused: ['a', 'from'], later: [] },
  ],
  [
    { outcome: 'postponed', problem: 'full' },
    { lookAgain: [], refused: [], later: ['a', 'from'] },
  ],
] as [DiskOutcome, unknown][])(
  'a move that is not done leaves both its paths to be planned again: %o',
  async (outcome, expected) => {
    disk = [outcome];
    const { lookAgain, refused, later } = await round([move], []);
    expect({ lookAgain: [...lookAgain], refused: [...refused], later: [...later] }).toEqual(expected);
    expect(problems).toEqual(outcome.outcome === 'refused' ? ['a'] : []);
  },
);

it('the same where it was not come to', async () => {
  expect([...(await round([move], [])).later]).toEqual(['a', 'from']);
});
