import { describe, expect, it } from 'vitest';
import { formatBytes } from '../../../common/format-bytes.js';

const MiB = 1024 * 1024;

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [MiB - 1, '1.0 MiB'],
    [64 * MiB, '64.0 MiB'],
    [1024 ** 6, '1024.0 PiB'],
  ])('%i is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
