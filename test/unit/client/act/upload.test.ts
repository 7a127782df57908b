import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Target } from '../../../../client/act/upload/target.js';
import type { UploadOutcome } from '../../../../client/act/upload/pending-item.js';
import { upload } from '../../../../client/act/upload/upload.js';
import type { MetadataCalls } from '../../../../client/connection/metadata-calls.js';
import { createInlineCutter } from '../../../../client/observe/inline-cutter.js';
import { stampOf } from '../../../../client/observe/stable-file.js';
import type { CommitItem, Settle } from '../../../../client/plan/operation.js';
import { SyncTally } from '../../../../client/tally.js';
import { hashHex, hashAt, hashCount } from '../../../../common/block-hash.js';
import { systemClock } from '../../../../common/clock.js';
import { DrystoneError } from '../../../../common/errors.js';
import { settle } from '../../../../common/feed/conflicts.js';
import { itemFromWire, itemToWire } from '../../../../common/feed/item-codec.js';
import type { Item, ItemPath } from '../../../../common/feed/item.js';
import { mergeItems, sameItem } from '../../../../common/feed/merge.js';
import type { AgentId, DeviceId, NamespaceId, ReplicaId } from '../../../../common/ids.js';
import { wireLimits } from '../../../../common/limits.js';
import type { Receipt } from '../../../../common/receipt.js';
import type { CommitRequest, CommitResponse } from '../../../../proto/gen/drystone/metadata/v1/commit.js';
import type { FindMissingRequest, FindMissingResponse } from '../../../../proto/gen/drystone/metadata/v1/presence.js';
import type { Block, BlockClient } from '../../../../server/block-client.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const namespaceId = '0'.repeat(32) as NamespaceId;
const device = 'd'.repeat(32) as DeviceId;
const agentId = 'a'.repeat(32) as AgentId;

const hexes = (packed: Uint8Array): string[] =>
  Array.from({ length: hashCount(packed) }, (_, index) => hashHex(hashAt(packed, index)));

/** A metadata service and an agent that keep the rules, with what a test may break. */
class World {
  readonly root = temporaryDirectory();
  /** What metadata knows the agent to hold. */
  readonly present = new Set<string>();
  readonly put: string[] = [];
  readonly commits: CommitRequest[] = [];
  readonly outcomes: UploadOutcome[] = [];
  /** What was noted before it was sent, message by message. */
  readonly noted: Item[][] = [];
  /** What the namespace holds. */
  readonly held = new Map<string, Item>();
  readonly tally = new SyncTally();
  /** Hashes that commits say nobody holds, whatever is known. */
  readonly lost = new Set<string>();
  putsBeforeFailure = Infinity;
  declines = false;
  settling = false;
  targetFailures = 0;

  async *findMissing(requests: AsyncIterable<FindMissingRequest>): AsyncGenerator<FindMissingResponse> {
    for await (const { hashes, targetAgentId } of requests) {
      expect(targetAgentId).toBe(agentId);
      const missing = hexes(hashes).filter((hex) => !this.present.has(hex));
      yield { missingHashes: Buffer.from(missing.join(''), 'hex'), candidates: [] };
    }
  }

  async *commit(requests: AsyncIterable<CommitRequest>): AsyncGenerator<CommitResponse> {
    for await (const request of requests) {
      this.commits.push(request);
      for (const { hashes } of request.receipts) for (const hex of hexes(hashes)) this.present.add(hex);
      const needed = request.items.flatMap(({ content }) =>
        content?.$case === 'file' && content.value.blocks !== undefined ? hexes(content.value.blocks.hashes) : [],
      );
      const missing = needed.filter((hex) => !this.present.has(hex) || this.lost.has(hex));
      const merged = missing.length > 0 ? [] : request.items.flatMap((wire, index) => this.merge(wire, index));
      yield { cursor: 1n, missingHashes: Buffer.from([...new Set(missing)].join(''), 'hex'), merged };
    }
  }

  merge(wire: CommitRequest['items'][number], index: number): CommitResponse['merged'] {
    const item = itemFromWire('item', wire);
    const noted = this.noted.flat().some((one) => sameItem(one, item));
    expect(noted || this.settling, 'what is sent was noted before').toBe(true);
    const known = this.held.get(item.path);
    const held = known === undefined || this.declines ? (known ?? item) : mergeItems(known, item);
    this.held.set(item.path, held);
    return sameItem(held, item) ? [] : [{ index, current: { cursor: 1n, item: itemToWire(held) } }];
  }

  async *putBlocks(_namespace: NamespaceId, blocks: AsyncIterable<Block>): AsyncGenerator<Receipt> {
    for await (const { hash } of blocks) {
      if (this.put.length >= this.putsBeforeFailure) throw new DrystoneError('INTERNAL', 'INTERNAL', 'the agent broke');
      this.put.push(hashHex(hash));
      yield { agentId, namespaceId, issuedAtMs: 0, hashes: hash, signature: new Uint8Array(64) };
    }
  }

  file(name: string, content: string | Buffer): CommitItem {
    const path = join(this.root, name);
    writeFileSync(path, content);
    const stats = lstatSync(path, { bigint: true });
    const stamp = stampOf(stats);
    const modifiedAtMs = Number(stats.mtimeMs);
    const file = { kind: 'file', path: name as ItemPath, stamp, modifiedAtMs, executable: false } as const;
    return operation(name, { from: 'folder', entry: { ...file, blocks: undefined }, synced: undefined });
  }

  upload(...operations: (CommitItem | Settle)[]): Promise<void> {
    this.settling = operations.some(({ kind }) => kind === 'settle');
    const onFailure = (): number => this.targetFailures++;
    const target = { agentId, onFailure, blocks: { put: this.putBlocks.bind(this) } as unknown as BlockClient };
    return upload(
      operations,
      {
        namespaceId,
        metadata: {
          presence: { findMissing: this.findMissing.bind(this) },
          commit: { commit: this.commit.bind(this) },
        } as unknown as MetadataCalls,
        chooseTarget: () => Promise.resolve(target as Target),
        cutter: createInlineCutter(systemClock),
        tally: this.tally,
        absolutePath: (path) => join(this.root, path),
        onOffer: async (items) => void this.noted.push(items.map(({ item }) => item)),
        onOutcomes: (outcomes) => this.outcomes.push(...outcomes),
        onCursor: () => undefined,
      },
      new AbortController().signal,
    );
  }

  told(outcome: UploadOutcome['outcome']): string[] {
    return this.outcomes
      .filter((one) => one.outcome === outcome)
      .map((one) => ('item' in one ? one.item.path : 'path' in one ? one.path : one.entry.path));
  }
}

const change = { replicaId: 'e'.repeat(32) as ReplicaId, counter: 1 };
const offer = { version: [change], change, at: { wallMs: 1_700_000_000_000, logical: 0 }, author: device };

function operation(path: string, source: CommitItem['change'], counter = 1): CommitItem {
  const number = { ...change, counter };
  const numbered = { ...offer, version: [number], change: number };
  return { kind: 'commit-item', path: path as ItemPath, offer: numbered, again: undefined, change: source };
}

let world: World;
beforeEach(() => {
  world = new World();
});

test('files are committed once their blocks are stored, and no block is put that is there', async () => {
  const [a, b] = [world.file('a', 'one'), world.file('b', 'two')];
  await world.upload(a);
  await world.upload(a, b, world.file('c', 'two'), world.file('empty', ''));
  expect(world.put).toHaveLength(2);
  expect(world.told('committed').sort()).toEqual(['a', 'a', 'b', 'c', 'empty']);
  expect(world.tally.summary()).toMatchObject({ blocksAsked: 3, blocksMissing: 2, blocksUploaded: 2, bytesSaved: 6 });
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
  world.commits.length = 0;
  await world.upload(
    moved,
    operation('d/gone', { from: 'deletion', synced: undefined }),
    operation('d', { from: 'deletion', synced: undefined }),
    operation('old', { from: 'deletion', synced: synced! }),
  );
  const messages = world.commits.map(({ items }) => items.map(({ path }) => path)).filter((paths) => paths.length > 0);
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
  expect(Math.max(...world.commits.map(({ items }) => items.length))).toBe(wireLimits.itemsPerCommit);
});

test('an item that met another one is told of with what the namespace holds now', async () => {
  const theirs = itemFrom('a', [stateBy('f', 1, 5, 'theirs')]);
  world.held.set('a', theirs);
  await world.upload(world.file('a', 'ours'));
  expect(world.outcomes).toMatchObject([
    { outcome: 'committed', item: { rivals: [] }, held: { rivals: [{ content: theirs.content }] } },
  ]);
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
  world.commits.length = 0;
  await world.upload({ ...world.file('a', 'other'), offer: said!, again: said });
  expect(world.told('read')).toEqual(['a']);
  expect(world.commits.flatMap(({ items }) => items)).toEqual([]);
});

test('conflicted copies and what they settle travel in one message, or not at all', async () => {
  const contested = itemFrom('p', [stateBy('a', 1, 5, 'ours'), stateBy('b', 1, 6, 'theirs')]);
  const { copies, item } = settle(contested);
  const settling = { kind: 'settle', path: item.path, items: [...copies, item] } as const;
  await world.upload(settling, operation('d', { from: 'deletion', synced: undefined }));
  expect(world.told('missing')).toEqual([copies[0]!.path, 'p']);
  expect(world.told('committed')).toEqual(['d']);
  for (const { content } of [...copies, item]) {
    if (content.kind === 'file') for (const hex of hexes(content.blocks.hashes)) world.present.add(hex);
  }
  world.commits.length = 0;
  await world.upload(settling);
  const messages = world.commits.filter(({ items }) => items.length > 0);
  expect(messages.map(({ items }) => items.map(({ path }) => path))).toEqual([[copies[0]!.path, 'p']]);
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
  } as const;
  await world.upload(directory, settling);
  expect(world.commits.map(({ items }) => items.length).filter((count) => count > 0)).toEqual([1, 1]);
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
