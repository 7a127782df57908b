import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkPackedHashes,
  HASH_BYTES,
  hashAt,
  hashCount,
  hashKey,
  hashKeyAt,
  hashOfKey,
  packKeys,
} from '../../common/block-hash.js';

const hashes = fc.array(fc.uint8Array({ minLength: HASH_BYTES, maxLength: HASH_BYTES }), { maxLength: 100 });

describe('packed hashes', () => {
  it('come apart into what they were packed from', () => {
    fc.assert(
      fc.property(hashes, fc.nat({ max: 40 }), (list, offset) => {
        // Off the wire a list is a view into a larger message.
        const packed = Buffer.concat([Buffer.alloc(offset), ...list]).subarray(offset);
        expect(checkPackedHashes('hashes', packed)).toBe(list.length);
        expect(hashCount(packed)).toBe(list.length);
        list.forEach((hash, index) => {
          expect(Buffer.from(hash).equals(hashAt(packed, index))).toBe(true);
          expect(hashKeyAt(packed, index)).toBe(hashKey(hash));
          expect(hashOfKey(hashKey(hash)).equals(hash)).toBe(true);
        });
        expect(packKeys(list.map(hashKey)).equals(packed)).toBe(true);
      }),
    );
  });

  it('have keys that are equal exactly where they are', () => {
    const [hash] = [fc.uint8Array({ minLength: HASH_BYTES, maxLength: HASH_BYTES })];
    fc.assert(fc.property(hash, hash, (a, b) => (hashKey(a) === hashKey(b)) === Buffer.from(a).equals(b)));
  });

  it('of any other length are refused', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), (sizeBytes) => {
        const check = (): unknown => checkPackedHashes('hashes', Buffer.alloc(sizeBytes));
        if (sizeBytes % HASH_BYTES === 0) expect(check()).toBe(sizeBytes / HASH_BYTES);
        else expect(check).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
      }),
    );
  });
});
