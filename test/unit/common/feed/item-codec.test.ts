import { describe, expect, it } from 'vitest';
import { hashBlockSync } from '../../../../common/block-hash.js';
import { decodeItem, entryFromWire, itemFromWire } from '../../../../common/feed/item-codec.js';
import { wireLimits } from '../../../../common/limits.js';
import type { File, Item } from '../../../../proto/gen/drystone/feed/v1/feed.js';

const DEVICE = '0123456789abcdef0123456789abcdef';
const hash = hashBlockSync(Buffer.from('x'));
const file = (change: Partial<File> = {}): Item['content'] => ({
  $case: 'file',
  value: { size: 1n, modifiedAtMs: 0n, executable: false, blocks: { hashes: hash, sizes: [1] }, ...change },
});
const item = (change: Partial<Item> = {}): Item => ({
  path: 'a',
  version: { entries: [{ deviceId: DEVICE, counter: 1n }] },
  authorDeviceId: DEVICE,
  content: file(),
  ...change,
});
const symlink = (target: string): Item['content'] => ({ $case: 'symlink', value: { target } });
const entries = (...list: { deviceId: string; counter: bigint }[]) => ({ version: { entries: list } });
const manyDevices = Array.from({ length: wireLimits.versionEntries + 1 }, (_, index) => ({
  deviceId: index.toString(16).padStart(32, '0'),
  counter: 1n,
}));
const tooMany = wireLimits.blocksPerItem + 1;

describe('an item off the wire', () => {
  it('is taken as it is', () => {
    expect(itemFromWire('item', item())).toMatchObject({ path: 'a', content: { kind: 'file', sizeBytes: 1 } });
    expect(itemFromWire('item', item({ content: symlink('x'.repeat(4095)) }))).toMatchObject({
      content: { kind: 'symlink' },
    });
  });

  it.each<[field: string, Partial<Item>]>([
    ['path', { path: '../a' }],
    ['author_device_id', { authorDeviceId: 'me' }],
    ['content', { content: undefined }],
    ['version', { version: undefined }],
    ['version', entries()],
    ['version', entries(...manyDevices)],
    ['version.entries[0].device_id', entries({ deviceId: 'ABC', counter: 1n })],
    ['version.entries[0].counter', entries({ deviceId: DEVICE, counter: 0n })],
    ['version.entries[0].counter', entries({ deviceId: DEVICE, counter: 2n ** 53n })],
    ['version.entries[1].device_id', entries({ deviceId: DEVICE, counter: 1n }, { deviceId: DEVICE, counter: 2n })],
    ['version.entries[1].device_id', entries(manyDevices[2]!, manyDevices[1]!)],
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
