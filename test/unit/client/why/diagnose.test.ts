import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diagnose } from '../../../../client/why/diagnose.js';
import type { AnsweredFacts, Facts, SyncedFacts } from '../../../../client/why/facts.js';
import { blockers } from '../../../../client/why/finding.js';
import type { LocalFile } from '../../../../client/state/local-entry.js';
import { RuleSet } from '../../../../client/observe/ignore-rules.js';
import type { Way } from '../../../../client/observe/scan-way.js';
import type { Item, ItemPath } from '../../../../common/feed/item.js';
import type { Cursor, NamespaceName } from '../../../../common/ids.js';
import { textFile } from '../../../support/feed/history.js';
import { itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const PATH = 'd/notes.txt' as ItemPath;
const CONTENT = textFile('as it was');
const ITEM = itemFrom(PATH, [stateBy('a', 1, 1_000, CONTENT)]);
const NEXT = itemFrom(PATH, [stateBy('a', 2, 2_000, 'as it is')]);
const STAMP = { sizeBytes: CONTENT.sizeBytes, modifiedAtNs: 0n, changedAtNs: 0n, inode: 7n };
const ASKED_AT_MS = 3_600_000;
const LOCAL: LocalFile = {
  kind: 'file',
  path: PATH,
  stamp: STAMP,
  modifiedAtMs: 0,
  executable: false,
  blocks: CONTENT.blocks,
};
const AGENT = { premises: 'lisbon', state: 'online', held: 1, freeBytes: 5_000, freeFloorBytes: 2_000 } as const;
const DIRECTORY = {
  ...{ path: 'd' as ItemPath, diskPath: 'd', rulesAbove: RuleSet.none, rules: RuleSet.none },
  ...{ entries: new Map(), unseen: [], problems: [], ignoreFileStamp: undefined },
};

function seen(standing: LocalFile | undefined): Way {
  return { outcome: 'seen', directory: DIRECTORY, diskPath: PATH, standing };
}

/** Both sides agree and a sync runs, but for what is said. */
function factsWith(service: Partial<AnsweredFacts>, folder: Partial<SyncedFacts>): Facts {
  return {
    namespace: 'docs' as NamespaceName,
    path: PATH,
    askedAtMs: ASKED_AT_MS,
    service: {
      state: 'answered',
      item: ITEM,
      authorName: 'ana (laptop)',
      end: 9 as Cursor,
      mayWrite: true,
      clockAheadMs: 0,
      twins: [],
      copies: [],
      agents: [AGENT],
      blocks: { count: 1, nowhere: 0, offline: 0, peers: 0 },
      ...service,
    },
    folder: {
      state: 'synced',
      root: '/home/ana/docs',
      syncedBy: 4711,
      cursor: 9 as Cursor,
      remote: service.item ?? ITEM,
      local: LOCAL,
      synced: ITEM,
      offered: undefined,
      provisional: undefined,
      way: seen(LOCAL),
      nameProblem: undefined,
      diskTwin: undefined,
      denied: { reading: undefined, writing: undefined },
      problems: [],
      freeBytes: 1_000_000,
      ...folder,
    },
  };
}

const FULL_AGENT = { ...AGENT, freeBytes: 2_000 };

/** A new file that was written then, as the sync has seen it and not read it. */
function unreadSince(changedAtMs: number): Partial<SyncedFacts> {
  const stamp = { ...STAMP, modifiedAtNs: 0n, changedAtNs: BigInt(changedAtMs) * 1_000_000n };
  const local = { ...LOCAL, stamp, blocks: undefined };
  return { local, way: seen(local), synced: undefined };
}

const ABSENT = { way: seen(undefined), local: undefined, synced: undefined };
const CHANGED = { ...LOCAL, modifiedAtMs: 5 };
const LARGE: Item = itemFrom(PATH, [stateBy('a', 1, 1_000, { ...CONTENT, sizeBytes: 2_000_000 })]);

test.each<[string, Partial<AnsweredFacts>, Partial<SyncedFacts>]>([
  ['nothing', {}, {}],
  ['agents-offline', { blocks: { count: 1, nowhere: 0, offline: 1, peers: 0 } }, {}],
  ['underway', {}, ABSENT],
  ['provisional', {}, { provisional: ITEM }],
  ['underway', { item: NEXT }, {}],
  ['underway', {}, { local: CHANGED, way: seen(CHANGED) }],
  ['disk-full', { item: LARGE }, ABSENT],
  ['case-twin', {}, { ...ABSENT, diskTwin: 'd/Notes.txt' }],
  ['name-refused', {}, { ...ABSENT, nameProblem: 'invalid character' }],
  ['unsyncable', {}, { ...ABSENT, problems: [{ name: PATH, problem: 'it is a socket' }] }],
  [
    'unsyncable',
    {},
    { local: { ...LOCAL, blocks: undefined }, synced: undefined, denied: { reading: 'EACCES', writing: undefined } },
  ],
  ['unsyncable', {}, { ...unreadSince(0), denied: { reading: 'EACCES', writing: undefined }, syncedBy: undefined }],
  ['unsyncable', { item: NEXT }, { ...ABSENT, synced: ITEM, denied: { reading: undefined, writing: 'EACCES' } }],
  ['nothing', {}, { denied: { reading: undefined, writing: 'EACCES' } }],
  ['not-heard', { item: NEXT }, { remote: ITEM }],
  ['not-syncing', { item: NEXT }, { remote: ITEM, syncedBy: undefined }],
  ['not-syncing', { item: NEXT }, { syncedBy: undefined }],
  ['blocks-missing', { blocks: { count: 1, nowhere: 1, offline: 0, peers: 2 } }, ABSENT],
  ['being-read', {}, unreadSince(ASKED_AT_MS - 2_000)],
  ['underway', {}, unreadSince(ASKED_AT_MS - 60_000)],
  ['agents-offline', { agents: [{ ...AGENT, state: 'offline' }] }, unreadSince(ASKED_AT_MS - 60_000)],
  ['agents-full', { agents: [FULL_AGENT] }, unreadSince(ASKED_AT_MS - 60_000)],
  ['agents-full', { agents: [FULL_AGENT, { ...AGENT, state: 'offline' }] }, { local: CHANGED, way: seen(CHANGED) }],
  ['underway', { agents: [FULL_AGENT, AGENT] }, { local: CHANGED, way: seen(CHANGED) }],
  ['not-scanned', {}, { way: seen({ ...LOCAL, stamp: { ...STAMP, inode: 8n } }) }],
  ['clock-ahead', { clockAheadMs: 10 * 60_000 }, { local: CHANGED, way: seen(CHANGED) }],
  ['reader', { mayWrite: false, clockAheadMs: 10 * 60_000 }, { local: CHANGED, way: seen(CHANGED) }],
  ['agents-offline', { agents: [] }, { local: CHANGED, way: seen(CHANGED) }],
  ['deleted-here', {}, { ...ABSENT, synced: ITEM }],
  ['underway', { item: NEXT }, { ...ABSENT, synced: ITEM }],
  ['conflicted-copy', { copies: ['d/copy' as ItemPath] }, {}],
  ['ignored', {}, { way: { outcome: 'ignored', at: 'd' as ItemPath } }],
  ['in-the-way', {}, { ...ABSENT, way: { outcome: 'missing', at: 'd' as ItemPath, standing: LOCAL } }],
])('%s', (blocker, service, folder) => {
  expect(diagnose(factsWith(service, folder))).toMatchObject({ blocker });
});

const DELETED = { ...ABSENT, synced: ITEM };
const DIRECTORY_ITEM = itemFrom(PATH, [stateBy('a', 1, 1_000, { kind: 'directory' })]);
const OWN_STATE = { outcome: 'ignored', at: 'd/.drystone' as ItemPath } as const;
const NOWHERE = { blocks: { count: 3, nowhere: 2, offline: 0, peers: 0 } };
const MISNAMED = {
  ...ABSENT,
  problems: [{ name: PATH, problem: 'its name is not valid UTF-8; rename it to have it synced' }],
};
const blockedBy = (problem: string): Partial<SyncedFacts> => ({ way: { outcome: 'blocked', at: PATH, problem } });

test.each<[string, Partial<AnsweredFacts>, Partial<SyncedFacts>, string, RegExp, RegExp]>([
  [
    'a deletion that waits, of a file',
    {},
    DELETED,
    'deleted-here',
    /the sync is about to/,
    /drystone cat docs\/d\/notes.txt > FILE/,
  ],
  [
    'a deletion that waits, of a directory',
    { item: DIRECTORY_ITEM },
    { ...DELETED, synced: DIRECTORY_ITEM },
    'deleted-here',
    /./,
    /^To have it back, sync an empty directory/,
  ],
  [
    "a reader's deletion, which stays in the folder",
    { mayWrite: false },
    DELETED,
    'reader',
    /^d\/notes.txt was deleted in this folder, and stays in docs: your account may only read/,
    /drystone cat/,
  ],
  [
    'what Drystone itself keeps in a folder',
    {},
    { way: OWN_STATE },
    'ignored',
    /^Drystone keeps its own .* in d\/\.drystone, and never syncs that\.$/,
    /^Keep .* elsewhere/,
  ],
  [
    'a name that is no text',
    { item: undefined },
    MISNAMED,
    'unsyncable',
    /: its name is not valid UTF-8\.$/,
    /^Rename it to have it synced\.$/,
  ],
  [
    'a name that only differs in case from another',
    { twins: ['d/Notes.txt' as ItemPath] },
    {},
    'case-twin',
    /is here, .* cannot tell its name from d\/Notes.txt/,
    /^Rename one/,
  ],
  [
    'an entry that is left since another has its name in another Unicode form',
    {},
    { problems: [{ name: 'd/n', problem: 'another entry has it; rename it to have it synced', twinOf: PATH }] },
    'case-twin',
    /^d\/notes.txt is here, and beside it an entry that is left as it is: another entry has it\.$/,
    /^Rename it to have it synced\.$/,
  ],
  [
    'a named pipe',
    {},
    blockedBy('it is a named pipe, which cannot be synced'),
    'unsyncable',
    /named pipe/,
    /^Move it out of the folder/,
  ],
  [
    'a directory that nobody may read',
    {},
    blockedBy('it cannot be looked into: EACCES'),
    'unsyncable',
    /EACCES/,
    /^Make it readable/,
  ],
  [
    'a symlink to far away',
    {},
    blockedBy('it is a symlink to a path of more than 4096 bytes'),
    'unsyncable',
    /symlink/,
    /^Link it to/,
  ],
  [
    'a file that is here and that nobody else can fetch',
    NOWHERE,
    {},
    'blocks-missing',
    /is here, .* has 2 of its 3 blocks: nobody else can fetch it\.$/,
    /^Touch it/,
  ],
])('%s: what to do about it', (_what, service, folder, blocker, sentence, advice) => {
  const finding = diagnose({ ...factsWith(service, folder) });
  expect(finding.blocker).toBe(blocker);
  expect(finding.sentence).toMatch(sentence);
  expect(finding.advice).toMatch(advice);
});

test('where metadata is away, the folder says what it has heard of', () => {
  const away = { state: 'unreachable', problem: 'no answer' } as const;
  const asked = (folder: Partial<SyncedFacts>): string => diagnose({ ...factsWith({}, folder), service: away }).blocker;
  expect(asked({})).toBe('nothing');
  expect(asked(ABSENT)).toBe('metadata-unreachable');
  expect(asked({ ...ABSENT, remote: undefined })).toBe('metadata-unreachable');
  expect(asked({ local: CHANGED, way: seen(CHANGED) })).toBe('metadata-unreachable');
  expect(asked({ ...ABSENT, syncedBy: undefined })).toBe('not-syncing');
  const contested = itemFrom(PATH, [stateBy('a', 1, 1_000, CONTENT), stateBy('b', 1, 900, 'theirs')]);
  expect(asked({ remote: contested })).toBe('conflict-waits');
  expect(asked({ ...ABSENT, remote: contested })).toBe('conflict-waits');
  expect(diagnose(factsWith({ item: contested }, { remote: contested })).blocker).not.toBe('conflict-waits');
});

test('every sentence is one, and there is something to do unless nothing is in the way', () => {
  for (const folder of [{}, ABSENT, { ...ABSENT, synced: ITEM }, { local: CHANGED, way: seen(CHANGED) }]) {
    for (const service of [{}, { item: NEXT }, { mayWrite: false }]) {
      const { blocker, sentence, advice } = diagnose(factsWith(service, folder));
      expect(sentence).toMatch(/^[^\n]+\.$/);
      expect(advice === '').toBe(blocker === 'nothing');
    }
  }
});

test('docs/cli.md explains every blocker', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/cli.md'), 'utf8');
  const [table = ''] = page.split('what is in the way')[1]!.split('\n\n');
  const explained = [...table.matchAll(/^\| `([a-z-]+)` +\| [A-Z]/gm)].map(([, blocker]) => blocker);
  expect(explained).toEqual([...blockers]);
});
