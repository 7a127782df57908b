import { describe, expect, it } from 'vitest';
import { formatPairs, formatTable, printable } from '../../../../cli/output/table.js';

describe('formatTable', () => {
  it('makes columns as wide as their widest cells and leaves no trailing blanks', () => {
    const columns = [{ heading: 'name' }, { heading: 'size', align: 'right' }, { heading: 'at' }] as const;
    const rows = [
      ['a', '1,000', ''],
      ['longer', '1', 'x'],
    ];
    expect(formatTable(columns, rows).split('\n')).toEqual([
      'NAME     SIZE  AT', // as wide as 'longer' and '1,000'
      'a       1,000',
      'longer      1  x',
    ]);
  });

  it('counts characters as people do', () => {
    expect(
      formatPairs([
        ['🧱👩‍👩‍👧', 'x'],
        ['e\u0301t', 'y'],
        ['abc', 'z'],
      ]).split('\n'),
    ).toEqual(['🧱👩‍👩‍👧   x', 'e\u0301t   y', 'abc  z']);
  });
});

describe('printable', () => {
  it('keeps a name on its line and harmless to a terminal', () => {
    expect(printable('new\nline\u001b[2J\u009b\ttab')).toBe('new\\nline\\u001b[2J\\u009b\\ttab');
    expect(printable('abc\u202etxt.exe')).toBe('abc\\u202etxt.exe');
    expect(printable('Évora – 石垣 🧱')).toBe('Évora – 石垣 🧱');
  });
});
