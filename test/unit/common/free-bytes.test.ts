import { describe, expect, it } from 'vitest';
import { freeBytes } from '../../../common/free-bytes.js';

const LARGE_BYTES = 256 * 1024;

describe('giving the memory of bytes back', () => {
  it('leaves none of them', () => {
    const bytes = Buffer.allocUnsafeSlow(LARGE_BYTES);
    freeBytes(bytes);
    expect(bytes.length).toBe(0);
    expect(bytes.buffer.byteLength).toBe(0);
  });

  it('does nothing the second time', () => {
    const bytes = Buffer.allocUnsafeSlow(LARGE_BYTES);
    freeBytes(bytes);
    expect(() => freeBytes(bytes)).not.toThrow();
  });

  it('leaves bytes alone that share their memory with others', () => {
    const all = Buffer.alloc(2 * LARGE_BYTES, 7);
    freeBytes(all.subarray(0, LARGE_BYTES));
    expect(all.equals(Buffer.alloc(2 * LARGE_BYTES, 7))).toBe(true);
    const shared = new Uint8Array(new SharedArrayBuffer(LARGE_BYTES)).fill(7);
    freeBytes(shared);
    expect(shared.every((byte) => byte === 7)).toBe(true);
  });

  it('leaves small ones alone', () => {
    const bytes = Buffer.from('from a pool that others draw on too');
    freeBytes(bytes);
    expect(bytes.toString()).toBe('from a pool that others draw on too');
  });
});
