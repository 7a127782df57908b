import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { UploadOutcome } from '../../../client/act/upload/pending-item.js';
import { upload } from '../../../client/act/upload/upload.js';
import { stampOf } from '../../../client/observe/stable-file.js';
import type { CommitItem, Settle } from '../../../client/plan/operation.js';
import { SyncTally } from '../../../client/tally.js';
import type { PushMessage } from '../../../client/upstream/upstream.js';
import { hashBlockSync, hashHex, hashAt, hashCount } from '../../../common/block-hash.js';
import { DrystoneError } from '../../../common/errors.js';
import { itemFromWire, itemToWire } from '../../../common/feed/item-codec.js';
import type { Blocklist, Item, ItemPath } from '../../../common/feed/item.js';
import { mergeItems, sameItem } from '../../../common/feed/merge.js';
import type { AgentId, DeviceId, NamespaceId, ReplicaId } from '../../../common/ids.js';
import type { Receipt } from '../../../common/receipt.js';
import type { PushResponse } from '../../../proto/gen/drystone/feed/v1/feed.js';
import type { Block, BlockClient } from '../../../server/block-client.js';
import { itemFrom, stateBy } from '../feed/sample-states.js';
import { temporaryDirectory } from '../temporary-directory.js';
import { inlineCutter } from './inline-cutter.js';

const namespaceId = '0'.repeat(32) as NamespaceId;
const device = 'd'.repeat(32) as DeviceId;
const agentId = 'a'.repeat(32) as AgentId;

/** Packed hashes in hexadecimal. */
export const hexes = (packed: Uint8Array): string[] =>
  Array.from({ length: hashCount(packed) }, (_, index) => hashHex(hashAt(packed, index)));

/** A metadata service and an agent that keep the rules, with what a test may break. */
export class UploadWorld {
  readonly root = temporaryDirectory();
  /** What metadata knows the agent to hold. */
  readonly present = new Set<string>();
  readonly put: string[] = [];
  readonly bytesPut: Uint8Array[] = [];
  readonly pushes: PushMessage[] = [];
  /** Whether the upload goes to an agent that stands in for metadata. */
  isProvisional = false;
  /** Whether blocks are wanted at all: where not, items are taken without any. */
  takesBlocks = true;
  readonly outcomes: UploadOutcome[] = [];
  readonly cursors: number[] = [];
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
  hasOtherTarget = false;
  targetFailure = new DrystoneError('INTERNAL', 'INTERNAL', 'the agent broke');
  beforeAnswer = (): void => undefined;
  checkHeld = (_item: Item): void => undefined;

  async *missing(lists: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const hashes of lists) {
      this.beforeAnswer();
      const missing = hexes(hashes).filter((hex) => !this.present.has(hex));
      yield Buffer.from(missing.join(''), 'hex');
    }
  }

  async *push(messages: AsyncIterable<PushMessage>): AsyncGenerator<PushResponse, void, undefined> {
    for await (const request of messages) {
      this.pushes.push(request);
      for (const { hashes } of request.receipts) for (const hex of hexes(hashes)) this.present.add(hex);
      const needed = request.items.flatMap(({ content }) =>
        content?.$case === 'file' && content.value.blocks !== undefined ? hexes(content.value.blocks.hashes) : [],
      );
      const missing = !this.takesBlocks ? [] : needed.filter((hex) => !this.present.has(hex) || this.lost.has(hex));
      const merged = missing.length > 0 ? [] : request.items.flatMap((wire, index) => this.merge(wire, index));
      yield { cursor: 1n, missingHashes: Buffer.from([...new Set(missing)].join(''), 'hex'), merged };
    }
  }

  merge(wire: PushMessage['items'][number], index: number): PushResponse['merged'] {
    const item = itemFromWire('item', wire);
    const noted = this.noted.flat().some((one) => sameItem(one, item));
    expect(noted || this.settling, 'what is sent was noted before').toBe(true);
    const known = this.held.get(item.path);
    const held = known === undefined || this.declines ? (known ?? item) : mergeItems(known, item);
    this.held.set(item.path, held);
    return sameItem(held, item) ? [] : [{ index, current: { cursor: 1n, item: itemToWire(held) } }];
  }

  async *putBlocks(_namespace: NamespaceId, blocks: AsyncIterable<Block>): AsyncGenerator<Receipt> {
    for await (const { hash, data } of blocks) {
      expect(hashBlockSync(data).equals(hash)).toBe(true);
      this.bytesPut.push(data);
      if (this.put.length >= this.putsBeforeFailure) throw this.targetFailure;
      this.put.push(hashHex(hash));
      if (this.isProvisional) this.present.add(hashHex(hash));
      yield { agentId, namespaceId, issuedAtMs: 0, hashes: hash, signature: new Uint8Array(64) };
    }
  }

  /** @param known what the file was cut into when it was last synced. */
  file(name: string, bytes: string | Buffer, known?: Blocklist): CommitItem {
    const path = join(this.root, name);
    writeFileSync(path, bytes);
    const stats = lstatSync(path, { bigint: true });
    const stamp = stampOf(stats);
    const modifiedAtMs = Number(stats.mtimeMs);
    const file = { kind: 'file', path: name as ItemPath, stamp, modifiedAtMs, executable: false } as const;
    const content = { kind: 'file', sizeBytes: 0, modifiedAtMs: 0, executable: false } as const;
    const synced =
      known === undefined ? undefined : itemFrom(name, [stateBy('a', 1, 5, { ...content, blocks: known })]);
    return operation(name, { from: 'folder', entry: { ...file, blocks: undefined }, synced });
  }

  upload(...operations: (CommitItem | Settle)[]): Promise<void> {
    this.settling = operations.some(({ kind }) => kind === 'settle');
    const onFailure = (): boolean => {
      this.targetFailures++;
      return this.hasOtherTarget;
    };
    const blocks = { put: this.putBlocks.bind(this) } as unknown as BlockClient;
    const target = { agentId, onFailure, blocks, missing: this.missing.bind(this) };
    const { isProvisional, takesBlocks } = this;
    return upload(
      operations,
      {
        namespaceId,
        upstream: {
          isProvisional,
          takesBlocks,
          chooseTarget: () => Promise.resolve(target),
          push: this.push.bind(this),
        },
        cutter: inlineCutter,
        tally: this.tally,
        absolutePath: (path) => join(this.root, path),
        checkHeld: (item) => this.checkHeld(item),
        onOffer: async (items) => void this.noted.push(items.map(({ item }) => item)),
        onOutcomes: (outcomes) => this.outcomes.push(...outcomes),
        onCursor: (cursor) => this.cursors.push(cursor),
      },
      new AbortController().signal,
    );
  }

  /** The blocks of the file that was committed last. */
  blocksCommitted(): Blocklist {
    const content = this.pushes.findLast(({ items }) => items.length > 0)?.items.at(-1)?.content;
    if (content?.$case !== 'file' || content.value.blocks === undefined) throw new Error('no file was committed');
    return content.value.blocks;
  }

  told(outcome: UploadOutcome['outcome']): string[] {
    return this.outcomes
      .filter((one) => one.outcome === outcome)
      .map((one) => ('item' in one ? one.item.path : 'path' in one ? one.path : one.entry.path));
  }
}

const change = { replicaId: 'e'.repeat(32) as ReplicaId, counter: 1 };
const offer = { version: [change], change, at: { wallMs: 1_700_000_000_000, logical: 0 }, author: device };

/** A change that the folder has made to a path, the `counter`th. */
export function operation(path: string, source: CommitItem['change'], counter = 1): CommitItem {
  const number = { ...change, counter };
  const numbered = { ...offer, version: [number], change: number };
  return { kind: 'commit-item', path: path as ItemPath, offer: numbered, again: undefined, change: source };
}
