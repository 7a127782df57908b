import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Target } from '../../../../client/act/upload/target.js';
import type { UploadOutcome } from '../../../../client/act/upload/pending-item.js';
import { upload } from '../../../../client/act/upload/upload.js';
import type { MetadataCalls } from '../../../../client/connection/metadata-calls.js';
import { createInlineCutter } from '../../../../client/observe/inline-cutter.js';
import { stampOf } from '../../../../client/observe/stable-file.js';
import type { CommitItem } from '../../../../client/plan/operation.js';
import { SyncTally } from '../../../../client/tally.js';
import { hashBlockSync, hashHex, hashAt, hashCount } from '../../../../common/block-hash.js';
import { systemClock } from '../../../../common/clock.js';
import { DrystoneError } from '../../../../common/errors.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import type { AgentId, DeviceId, NamespaceId } from '../../../../common/ids.js';
import { wireLimits } from '../../../../common/limits.js';
import type { Receipt } from '../../../../common/receipt.js';
import type { CommitRequest, CommitResponse } from '../../../../proto/gen/drystone/metadata/v1/commit.js';
import type { FindMissingRequest, FindMissingResponse } from '../../../../proto/gen/drystone/metadata/v1/presence.js';
import type { Block, BlockClient } from '../../../../server/block-client.js';
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
  readonly bytesPut: Uint8Array[] = [];
  readonly commits: CommitRequest[] = [];
  readonly outcomes: UploadOutcome[] = [];
  readonly tally = new SyncTally();
  /** Hashes that commits say nobody holds, whatever is known. */
  readonly lost = new Set<string>();
  putsBeforeFailure = Infinity;
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
      yield { cursor: 1n, missingHashes: Buffer.from([...new Set(missing)].join(''), 'hex'), conflicts: [] };
    }
  }

  async *putBlocks(_namespace: NamespaceId, blocks: AsyncIterable<Block>): AsyncGenerator<Receipt> {
    for await (const { hash, data } of blocks) {
      expect(hashBlockSync(data).equals(hash)).toBe(true);
      this.bytesPut.push(data);
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

  upload(...operations: CommitItem[]): Promise<void> {
    const onFailure = (): number => this.targetFailures++;
    const target = { agentId, onFailure, blocks: { put: this.putBlocks.bind(this) } as unknown as BlockClient };
    return upload(
      operations,
      {
        namespaceId,
        device,
        metadata: {
          presence: { findMissing: this.findMissing.bind(this) },
          commit: { commit: this.commit.bind(this) },
        } as unknown as MetadataCalls,
        chooseTarget: () => Promise.resolve(target as Target),
        cutter: createInlineCutter(systemClock),
        tally: this.tally,
        absolutePath: (path) => join(this.root, path),
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

function operation(path: string, change: CommitItem['change']): CommitItem {
  return { kind: 'commit-item', path: path as ItemPath, version: [{ deviceId: device, counter: 1 }], change };
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
