import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../common/clock.js';
import { idBytes } from '../../../common/ids.js';
import { Medium } from '../../../common/store/medium.js';
import type { Block } from '../../../server/block.js';
import { referenceKey } from '../../../server/lmdb-block-layout.js';
import { LmdbBlockWriter, type BlockDatabases, type BytesDatabase } from '../../../server/lmdb-block-writer.js';
import { rejection } from '../../support/async-tools.js';
import { blockOf, NAMESPACE, OTHER_NAMESPACE } from '../../support/blocks/sample-blocks.js';

const RAW = { encoding: 'binary', keyEncoding: 'binary' } as const;
const STORE_FAILED = { code: 'INTERNAL', reason: 'STORE_FAILED' };
let directory = '';
let environment: RootDatabase<Buffer, Uint8Array>;
let databases: BlockDatabases;
/** How many of the next commits fail as on a broken disk. */
let failures = 0;

/** The totals, through which every commit goes, with commits that fail on demand. */
function failing(totals: BytesDatabase): BytesDatabase {
  return new Proxy(totals, {
    get(target, name) {
      if ((name === 'ifVersion' || name === 'ifNoExists') && failures > 0) {
        failures--;
        return () => Promise.reject(new Error('Commit failed'));
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drystone-writer-'));
  const options = { ...RAW, path: join(directory, 'blocks'), noSubdir: false, maxDbs: 3 };
  environment = open<Buffer, Uint8Array>({ ...options, overlappingSync: false, eventTurnBatching: false });
  databases = {
    contents: environment.openDB({ ...RAW, name: 'blocks' }),
    references: environment.openDB({ ...RAW, name: 'references' }),
    totals: failing(environment.openDB({ ...RAW, name: 'totals', useVersions: true })),
  };
  failures = 0;
});

afterEach(async () => {
  await environment.close();
  await rm(directory, { recursive: true });
});

const writerOf = (): LmdbBlockWriter => {
  return new LmdbBlockWriter(databases, new Medium('the block store', directory), systemClock);
};
const [first, second, third] = [blockOf('first'), blockOf('second'), blockOf('third')];

describe('LmdbBlockWriter', () => {
  it('builds on a change that is still under way, without writing its blocks again', async () => {
    const writer = writerOf();
    const before = writer.put([{ namespaceId: NAMESPACE, blocks: [first] }]);
    const after = writer.put([{ namespaceId: OTHER_NAMESPACE, blocks: [first, second] }]);
    expect(await before).toEqual([{ newBlocks: 1, newBytes: 5 }]);
    expect(await after).toEqual([{ newBlocks: 1, newBytes: 6 }]);
    expect(writer.totals()).toEqual({ blocks: 2, bytes: 11 });
  });

  it('makes a change anew where the one that it was built on has failed', async () => {
    const writer = writerOf();
    await writer.put([{ namespaceId: NAMESPACE, blocks: [third] }]);
    failures = 1;
    const before = rejection(writer.put([{ namespaceId: NAMESPACE, blocks: [first] }]));
    const after = writer.put([{ namespaceId: OTHER_NAMESPACE, blocks: [first, second] }]);
    expect(await before).toMatchObject(STORE_FAILED);
    expect(await after).toEqual([{ newBlocks: 2, newBytes: 11 }]);
    expect(writer.totals()).toEqual({ blocks: 3, bytes: 16 });
    expect(databases.contents.getBinary(first.hash)?.toString()).toBe('first');
    expect(databases.references.doesExist(referenceKey(idBytes(NAMESPACE), first.hash))).toBe(false);
    expect(databases.references.doesExist(referenceKey(idBytes(OTHER_NAMESPACE), first.hash))).toBe(true);
  });

  it('acknowledges a block that is under way already only once that is written, or written by itself', async () => {
    const writer = writerOf();
    failures = 1;
    const before = rejection(writer.put([{ namespaceId: NAMESPACE, blocks: [first] }]));
    const after = writer.put([{ namespaceId: NAMESPACE, blocks: [first] }]);
    expect(await before).toMatchObject(STORE_FAILED);
    expect(await after).toEqual([{ newBlocks: 1, newBytes: 5 }]);
    expect(databases.contents.getBinary(first.hash)?.toString()).toBe('first');
  });

  it('recovers where two changes in a row were built on one that failed', async () => {
    const writer = writerOf();
    failures = 1;
    const put = (...blocks: Block[]) => writer.put([{ namespaceId: NAMESPACE, blocks }]);
    const [before, after] = [rejection(put(first)), put(first, second)];
    const last = before.then(() => put(second, third));
    expect(await before).toMatchObject(STORE_FAILED);
    const outcomes = await Promise.all([after, last]);
    expect(outcomes.flat().reduce((sum, { newBlocks }) => sum + newBlocks, 0)).toBe(3);
    expect(writer.totals()).toEqual({ blocks: 3, bytes: 16 });
  });

  it('removes between changes, whatever comes at the same time', async () => {
    const writer = writerOf();
    await writer.put([{ namespaceId: NAMESPACE, blocks: [first, second] }]);
    await Promise.all([
      writer.put([{ namespaceId: NAMESPACE, blocks: [third] }]),
      writer.remove(first.hash),
      writer.remove(second.hash),
      writer.put([{ namespaceId: OTHER_NAMESPACE, blocks: [second] }]),
    ]);
    expect(writer.totals()).toEqual({ blocks: 2, bytes: 11 });
    expect(databases.references.doesExist(referenceKey(idBytes(NAMESPACE), second.hash))).toBe(false);
    expect(databases.contents.getBinary(second.hash)?.toString()).toBe('second');
  });

  it('lets a removal that fails be tried again', async () => {
    const writer = writerOf();
    await writer.put([{ namespaceId: NAMESPACE, blocks: [first] }]);
    failures = 1;
    expect(await rejection(writer.remove(first.hash))).toMatchObject(STORE_FAILED);
    expect(writer.totals()).toEqual({ blocks: 1, bytes: 5 });
    await writer.remove(first.hash);
    expect(writer.totals()).toEqual({ blocks: 0, bytes: 0 });
  });
});
