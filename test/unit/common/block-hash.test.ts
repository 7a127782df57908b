import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  checkPackedHashes,
  hashAt,
  hashBlock,
  hashBlockSync,
  hashHex,
  hashKey,
  hashKeyAt,
  hashOfKey,
  packKeys,
} from '../../../common/block-hash.js';
import { wireLimits } from '../../../common/limits.js';

describe('block hashes', () => {
  it.each([0, 1, 32 * 1024 - 1, 32 * 1024, 1024 * 1024])(
    'are the SHA-256 of %d bytes, on either path',
    async (sizeBytes) => {
      const content = Buffer.alloc(sizeBytes, 7);
      const expected = createHash('sha256').update(content).digest('hex');
      expect(hashHex(hashBlockSync(content))).toBe(expected);
      expect(hashHex(await hashBlock(content))).toBe(expected);
    },
  );

  it('are of the bytes at the call, which may be reused at once', async () => {
    const content = Buffer.alloc(1024 * 1024, 1);
    const expected = hashHex(hashBlockSync(content));
    const hashing = hashBlock(content);
    content.fill(2);
    expect(hashHex(await hashing)).toBe(expected);
  });

  it('hash a view as its own bytes, not those around it', async () => {
    const around = Buffer.alloc(100_000, 3);
    const view = around.subarray(100, 70_000);
    expect(await hashBlock(view)).toEqual(hashBlockSync(Buffer.from(view)));
  });

  it('become keys and come back', () => {
    const hashes = [hashBlockSync(Buffer.from('a')), hashBlockSync(Buffer.from('b'))];
    const packed = Buffer.concat(hashes);
    const keys = hashes.map(hashKey);
    expect([hashKeyAt(packed, 0), hashKeyAt(packed, 1)]).toEqual(keys);
    expect(keys.map(hashOfKey)).toEqual(hashes);
    expect(packKeys(keys)).toEqual(packed);
    expect(hashAt(packed, 1)).toEqual(hashes[1]);
  });
});

describe('checkPackedHashes', () => {
  it('counts', () => {
    expect(checkPackedHashes('hashes', Buffer.alloc(0))).toBe(0);
    expect(checkPackedHashes('hashes', Buffer.alloc(wireLimits.hashesPerMessage * 32))).toBe(
      wireLimits.hashesPerMessage,
    );
  });

  it.each([1, 31, 33, (wireLimits.hashesPerMessage + 1) * 32])('refuses %d bytes and names the field', (sizeBytes) => {
    const check = (): unknown => checkPackedHashes('items[2].hashes', Buffer.alloc(sizeBytes));
    expect(check).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field: 'items[2].hashes' } }));
  });
});
