import { describe, expect, it } from 'vitest';
import type { ItemPath } from '../../../../common/feed/item.js';
import { isAtOrBelow, parseItemPath, pathProblem, twinKey } from '../../../../common/feed/paths.js';

describe('paths of a namespace', () => {
  it.each([
    'a',
    'a/b',
    '.a',
    '..a',
    'a..',
    '...',
    'a b',
    'a\\b',
    'C:',
    'é',
    'x'.repeat(255),
    `${'x'.repeat(249)}/`.repeat(7) + 'x',
  ])('may be %j', (path) => expect(pathProblem(path)).toBeUndefined());

  it.each([
    ['', 'empty'],
    ['/a', 'slash'],
    ['a//b', 'empty part'],
    ['a/', 'empty part'],
    ['.', "'.'"],
    ['a/./b', "'.'"],
    ['..', "'..'"],
    ['a/../b', "'..'"],
    ['a\0b', 'NUL'],
    ['e\u0301', 'normalization'],
    ['\ud800', 'well-formed'],
    ['ü'.repeat(128), '255 bytes'],
    ['x/'.repeat(1000) + 'x', '1900 bytes'],
  ])('may not be %j', (path, problem) => {
    expect(pathProblem(path)).toContain(problem);
    const refusal = expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field: 'items[0].path' } }) as Error;
    expect(() => parseItemPath('items[0].path', path)).toThrow(refusal);
  });

  it('lie below their directories, not beside', () => {
    expect(isAtOrBelow('a/b', 'a')).toBe(true);
    expect(isAtOrBelow('ab', 'a')).toBe(false);
    expect(isAtOrBelow('a', 'a/b')).toBe(false);
    expect(isAtOrBelow('a', '')).toBe(true);
  });
});

describe('twins', () => {
  const areTwins = (a: string, b: string): boolean => twinKey(a as ItemPath) === twinKey(b as ItemPath);

  it.each([
    ['README', 'readme'],
    ['Ärger/Öl', 'ärger/öl'],
    ['é', 'e\u0301'],
    ['ΟΔΟΣ', 'οδος'],
    ['ЖУК', 'жук'],
  ])('%j and %j', (a, b) => expect(areTwins(a, b)).toBe(true));

  it.each([
    ['a', 'b'],
    ['straße', 'STRASSE'],
    ['ﬁle', 'file'],
    ['²', '2'],
    ['é', 'e'],
  ])('not %j and %j, which no file system confuses', (a, b) => expect(areTwins(a, b)).toBe(false));
});
