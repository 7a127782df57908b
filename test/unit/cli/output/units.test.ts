import { describe, expect, it } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatMoment,
  formatNumberOf,
  formatRate,
  parseBytes,
} from '../../../../cli/output/units.js';

const MiB = 1024 ** 2;

describe('parseBytes', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['1KiB', 1024],
    ['1.5 mib', 1.5 * MiB],
    ['2TiB', 2 * 1024 ** 4],
    ['0.5B', undefined],
    ['-1', undefined],
    ['1 GB', undefined],
    ['9999999PiB', undefined],
    ['', undefined],
  ])('%j is %j', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });
});

describe('formatDuration', () => {
  it.each([
    [-5, '0 ms'],
    [0.4, '0 ms'],
    [999.4, '999 ms'],
    [1000, '1.0 s'],
    [59_949, '59.9 s'],
    [59_950, '1 min 0 s'],
    [200_000, '3 min 20 s'],
    [3_599_999, '1 h 0 min'],
    [5 * 3_600_000 + 12 * 60_000, '5 h 12 min'],
    [76 * 3_600_000, '3 d 4 h'],
  ])('%d ms are %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('the rest', () => {
  it('groups thousands', () => expect(formatCount(1_234_567)).toBe('1,234,567'));
  it('knows one from many', () => {
    expect(formatNumberOf(1, 'file')).toBe('1 file');
    expect(formatNumberOf(0, 'file')).toBe('0 files');
    expect(formatNumberOf(2000, 'directory', 'directories')).toBe('2,000 directories');
  });
  it('shows rates', () => expect(formatRate(1_572_864.4)).toBe('1.5 MiB/s'));
  it('shows moments in UTC', () => expect(formatMoment(1_767_225_599_999)).toBe('2025-12-31 23:59:59'));
});
