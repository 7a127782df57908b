import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createInlineDisk } from '../../../client/act/disk/inline-disk.js';
import type { Transfers } from '../../../client/act/transfers.js';
import { TreeScanner } from '../../../client/observe/scan-tree.js';
import { LocalBlockIndex } from '../../../client/state/local-block-index.js';
import { MemoryTreeStore } from '../../../client/state/memory-tree-store.js';
import { StateWriter } from '../../../client/state/state-writer.js';
import { InHand } from '../../../client/sync/in-hand.js';
import { Inbox } from '../../../client/sync/inbox.js';
import { ProgressReporter } from '../../../client/sync/progress-reporter.js';
import { SyncLoop } from '../../../client/sync/sync-loop.js';
import { SyncTally } from '../../../client/tally.js';
import { systemClock } from '../../../common/clock.js';
import { DrystoneError } from '../../../common/errors.js';
import type { Item, ItemPath } from '../../../common/feed/item.js';
import type { Cursor, DeviceId, ReplicaId } from '../../../common/ids.js';
import { systemRandom } from '../../../common/random.js';
import { DIRECTORY, itemFrom, stateBy } from '../../support/feed/sample-states.js';
import { waitUntil } from '../../support/wait-until.js';

const DEVICE = 'd'.repeat(32) as DeviceId;

const ROLE_INSUFFICIENT = new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', 'may only read');

let root: string;
let mayCommit: boolean;
let isRelayAwaited: boolean;
let loop: SyncLoop;
let inbox: Inbox;
let store: MemoryTreeStore;
let committed: string[];
let ended: AbortController;
let running: Promise<void>;

const transfers: Transfers = {
  read: () => Promise.reject(new Error('there are no files here')),
  upload: (operations) => {
    for (const operation of operations) {
      const what = operation.kind === 'commit-item' ? operation.change.from : operation.kind;
      committed.push(`${what} ${operation.path}`);
    }
    return mayCommit ? Promise.resolve() : Promise.reject(ROLE_INSUFFICIENT);
  },
  fetch: () => Promise.reject(new Error('there are no files here')),
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drystone-loop-'));
  mkdirSync(join(root, '.drystone/tmp'), { recursive: true });
  store = new MemoryTreeStore();
  inbox = new Inbox();
  committed = [];
  mayCommit = true;
  isRelayAwaited = false;
  ended = new AbortController();
  const tally = new SyncTally();
  const nothing = (): void => undefined;
  const observer = { progress: nothing, problem: nothing, conflict: nothing, waiting: nothing };
  loop = new SyncLoop({
    root,
    device: DEVICE,
    replica: 'd'.repeat(32) as ReplicaId,
    clock: systemClock,
    random: systemRandom,
    store,
    inHand: new InHand(store),
    scanner: new TreeScanner(root, systemClock),
    inbox,
    round: {
      disk: createInlineDisk(nothing),
      tally,
      transfers,
      writer: new StateWriter(store, new LocalBlockIndex(store.local)),
    },
    reporter: new ProgressReporter(observer, tally, systemClock),
    owed: {
      get isAwaited() {
        return isRelayAwaited;
      },
      isDue: () => false,
      said: nothing,
    },
    doConflictsWait: () => false,
    catchUp: () => Promise.resolve(),
    onPlaces: nothing,
    once: false,
  });
  running = loop.run(ended.signal).catch(() => undefined);
});

afterEach(async () => {
  ended.abort();
  await running;
  rmSync(root, { recursive: true });
});

const directory = stateBy('e', 1, 1, DIRECTORY);

async function arrive(path: string, cursor: number, item: Item = itemFrom(path, [directory])): Promise<void> {
  await store.write({ remote: new Map([[item.path, item]]), cursor: cursor as Cursor });
  inbox.feedRead([item.path], true, cursor as Cursor);
}

async function untilMade(path: string): Promise<void> {
  await waitUntil(`${path} is made`, () => existsSync(join(root, path)) && store.synced.get(path as ItemPath));
}

it('what it has just made itself is not taken for deleted when the watcher tells of something else first', async () => {
  await arrive('here', 1);
  await arrive('there', 2);
  await untilMade('there');
  inbox.hint({ kind: 'everything', because: 'the watcher tells of both' });
  await arrive('here/theirs', 3);
  await untilMade('here/theirs');
  mkdirSync(join(root, 'there/ours'));
  inbox.hint({ kind: 'paths', diskPaths: new Set(['there/ours']) });
  await waitUntil('the other directory is committed', () => committed.includes('folder there/ours'));
  expect(committed).toEqual(['folder there/ours']);
});

it('a conflict is left to others where this account may not settle it, and what stands is taken', async () => {
  mayCommit = false;
  const links = ['a', 'b'].map((who, index) => stateBy(who, 1, index + 1, { kind: 'symlink', target: `of ${who}` }));
  await arrive('link', 1, itemFrom('link', links));
  await waitUntil('the link is made', () => store.synced.get('link' as ItemPath));
  expect(readlinkSync(join(root, 'link'))).toBe('of b');
  expect(committed).toEqual(['settle link']);
});

it('an account that may only read, and is let write later, says and settles then what it had left', async () => {
  mayCommit = false;
  const links = ['a', 'b'].map((who, index) => stateBy(who, 1, index + 1, { kind: 'symlink', target: `of ${who}` }));
  mkdirSync(join(root, 'ours'));
  inbox.hint({ kind: 'everything', because: 'the first scan may have come before' });
  await arrive('link', 1, itemFrom('link', links));
  await waitUntil('both were refused', () => committed.length >= 2);
  await waitUntil('the link is made', () => store.synced.get('link' as ItemPath));
  expect(committed).toEqual(['settle link', 'folder ours']);
  inbox.turn();
  await waitUntil('both were tried again', () => committed.length >= 4);
  mayCommit = true;
  committed.length = 0;
  inbox.turn();
  await waitUntil('both are said', () => committed.includes('settle link') && committed.includes('folder ours'));
});

it('a conflict that waits for the word of an agent is settled where the way to metadata changes meanwhile', async () => {
  isRelayAwaited = true;
  const links = ['d', 'b'].map((who, index) => stateBy(who, 1, index + 1, { kind: 'symlink', target: `of ${who}` }));
  const link = itemFrom('link', links);
  await store.write({ provisional: new Map([[link.path, itemFrom('link', links.slice(0, 1))]]) });
  await arrive('link', 1, link);
  await arrive('there', 2);
  await untilMade('there');
  expect(committed).toEqual([]);
  isRelayAwaited = false;
  inbox.turn();
  await waitUntil('it is settled', () => committed.includes('settle link'));
});
