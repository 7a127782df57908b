import { describe, expect, it } from 'vitest';
import { hashBlockSync } from '../../../../common/block-hash.js';
import { decodeItem, entryFromWire, itemFromWire } from '../../../../common/feed/item-codec.js';
import { wireLimits } from '../../../../common/limits.js';
import type { File, Item, Rival } from '../../../../proto/gen/drystone/feed/v1/feed.js';

const DEVICE = '0123456789abcdef0123456789abcdef';
const REPLICA = 'fedcba9876543210fedcba9876543210';
const hash = hashBlockSync(Buffer.from('x'));
const file = (change: Partial<File> = {}): Item['content'] => ({
  $case: 'file',
  value: { size: 1n, modifiedAtMs: 0n, executable: false, blocks: { hashes: hash, sizes: [1] }, ...change },
});
const now = { wallMs: 1_800_000_000_000n, logical: 0 };
const item = (change: Partial<Item> = {}): Item => ({
  path: 'a',
  version: { entries: [{ replicaId: REPLICA, counter: 1n }] },
  authorDeviceId: DEVICE,
  content: file(),
  change: 0,
  changedAt: now,
  rivals: [],
  ...change,
});
/** An item of several replicas, whose states get ever earlier. */
const contested = (rivals: Partial<Rival>[]): Partial<Item> => ({
  version: { entries: manyReplicas.slice(0, rivals.length + 1) },
  rivals: rivals.map((rival, index) => ({
    change: index + 1,
    changedAt: { ...now, wallMs: now.wallMs - BigInt(index + 1) },
    authorDeviceId: DEVICE,
    content: file(),
    ...rival,
  })),
});
const rivals = (count: number): Partial<Rival>[] => Array.from({ length: count }, () => ({}));
const withBlocks = (count: number): Item['content'] =>
  file({ size: BigInt(count), blocks: { hashes: Buffer.alloc(32 * count), sizes: Array(count).fill(1) } });
const symlink = (target: string): Item['content'] => ({ $case: 'symlink', value: { target } });
const entries = (...list: { replicaId: string; counter: bigint }[]) => ({ version: { entries: list } });
const manyReplicas = Array.from({ length: wireLimits.versionEntries + 1 }, (_, index) => ({
  replicaId: index.toString(16).padStart(32, '0'),
  counter: 1n,
}));
const tooMany = wireLimits.blocksPerItem + 1;

describe('an item off the wire', () => {
  it('is taken as it is', () => {
    expect(itemFromWire('item', item())).toMatchObject({ path: 'a', content: { kind: 'file', sizeBytes: 1 } });
    expect(itemFromWire('item', item({ content: symlink('x'.repeat(4095)) }))).toMatchObject({
      content: { kind: 'symlink' },
    });
    expect(itemFromWire('item', item(contested(rivals(wireLimits.rivalsPerItem))))).toMatchObject({
      change: { replicaId: manyReplicas[0]!.replicaId, counter: 1 },
      rivals: { length: wireLimits.rivalsPerItem },
    });
  });

  it('may say that nothing is left of it, in one form', () => {
    const nothing = {
      content: { $case: 'deletion', value: {} },
      changedAt: undefined,
      authorDeviceId: '0'.repeat(32),
    } as const;
    expect(itemFromWire('item', item(nothing))).toMatchObject({ content: { kind: 'deletion' }, at: { wallMs: 0 } });
    const refused = expect.objectContaining({ details: { field: 'item.changed_at' } }) as Error;
    expect(() => itemFromWire('item', item({ ...nothing, ...contested([{}]) }))).toThrow(refused);
  });

  it.each<[field: string, Partial<Item>]>([
    ['path', { path: '../a' }],
    ['author_device_id', { authorDeviceId: 'me' }],
    ['content', { content: undefined }],
    ['version', { version: undefined }],
    ['version', entries()],
    ['version', entries(...manyReplicas)],
    ['version.entries[0].replica_id', entries({ replicaId: 'ABC', counter: 1n })],
    ['version.entries[0].counter', entries({ replicaId: REPLICA, counter: 0n })],
    ['version.entries[0].counter', entries({ replicaId: REPLICA, counter: 2n ** 53n })],
    [
      'version.entries[1].replica_id',
      entries({ replicaId: REPLICA, counter: 1n }, { replicaId: REPLICA, counter: 2n }),
    ],
    ['version.entries[1].replica_id', entries(manyReplicas[2]!, manyReplicas[1]!)],
    ['change', { change: 1 }],
    ['changed_at', { changedAt: undefined }],
    ['changed_at', { changedAt: { wallMs: 0n, logical: 1 } }],
    ['changed_at', { changedAt: { wallMs: 8_640_000_000_000_001n, logical: 0 } }],
    ['changed_at', { changedAt: undefined, content: { $case: 'deletion', value: {} } }],
    ['rivals', contested(rivals(wireLimits.rivalsPerItem + 1))],
    ['rivals', { ...contested([{ content: withBlocks(wireLimits.blocksPerItem) }]) }],
    ['rivals[0].change', contested([{ change: 0 }])],
    ['rivals[1].change', contested([{}, { change: 1 }])],
    ['rivals[0].change', contested([{ change: 2 }])],
    ['rivals[0]', contested([{ changedAt: { ...now, wallMs: now.wallMs + 1n } }])],
    ['rivals[1]', contested([{}, { changedAt: now }])],
    ['rivals[0].changed_at', contested([{ changedAt: undefined }])],
    ['rivals[0].author_device_id', contested([{ authorDeviceId: '' }])],
    ['rivals[0].content', contested([{ content: undefined }])],
    ['rivals[0].file.size', contested([{ content: file({ size: 2n }) }])],
    ['symlink.target', { content: symlink('') }],
    ['symlink.target', { content: symlink('a\0b') }],
    ['symlink.target', { content: symlink('ü'.repeat(2048)) }],
    ['file.size', { content: file({ size: 2n }) }],
    ['file.size', { content: file({ blocks: undefined }) }],
    ['file.modified_at_ms', { content: file({ modifiedAtMs: 2n ** 60n }) }],
    ['file.blocks.hashes', { content: file({ blocks: { hashes: Buffer.alloc(33), sizes: [1] } }) }],
    ['file.blocks.hashes', { content: file({ blocks: { hashes: Buffer.alloc(32 * tooMany), sizes: [] } }) }],
    ['file.blocks.sizes', { content: file({ blocks: { hashes: hash, sizes: [] } }) }],
    ['file.blocks.sizes', { content: file({ blocks: { hashes: Buffer.alloc(0), sizes: [1] } }) }],
    ['file.blocks.sizes[0]', { content: file({ blocks: { hashes: hash, sizes: [0] } }) }],
    ['file.blocks.sizes[0]', { content: file({ blocks: { hashes: hash, sizes: [wireLimits.blockBytes + 1] } }) }],
  ])('is refused with a wrong %s, which the error names', (field, change) => {
    const read = (): unknown => itemFromWire('items[7]', item(change));
    const details = { field: `items[7].${field}` };
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', reason: 'FIELD_INVALID', details }));
  });

  it('is refused as an entry without an item, or beyond what a cursor can be', () => {
    const refused = (field: string): Error => expect.objectContaining({ details: { field } }) as Error;
    expect(() => entryFromWire('entries[0]', { cursor: 1n, item: undefined })).toThrow(refused('entries[0].item'));
    expect(() => entryFromWire('entries[0]', { cursor: 2n ** 60n, item: item() })).toThrow(
      refused('entries[0].cursor'),
    );
  });
});

it('a stored item that is damaged is DATA_LOSS, and not the fault of a caller', () => {
  const damaged = expect.objectContaining({ code: 'DATA_LOSS', reason: 'STORE_FAILED' }) as Error;
  expect(() => decodeItem(Buffer.from('ff', 'hex'))).toThrow(damaged);
  expect(() => decodeItem(Buffer.alloc(0))).toThrow(damaged);
});
