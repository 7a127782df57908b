import { describe, expect, test } from 'vitest';
import { FolderRules, RuleSet, type DirectoryPath } from '../../../client/observe/ignore-rules.js';
import type { ItemPath } from '../../../common/feed/item.js';
import type { Observation } from '../../../client/observe/observation.js';

/** Whether rules, given as [directory, text of its ignore file] from the root down, ignore a path. */
function ignored(
  files: readonly (readonly [directory: string, text: string])[],
  path: string,
  kind: Observation['kind'] = 'file',
): boolean {
  const byDirectory = new Map<DirectoryPath, RuleSet>();
  let rules = RuleSet.none;
  for (const [directory, text] of files) {
    rules = rules.extendedBy(directory as DirectoryPath, text);
    byDirectory.set(directory as DirectoryPath, rules);
  }
  return FolderRules.none.updatedTo(byDirectory).ignores(path as ItemPath, kind);
}

describe('ignore rules', () => {
  test.each<[text: string, path: string, expected: boolean]>([
    ['*.log', 'a.log', true],
    ['*.log', 'deep/below/a.log', true],
    ['*.log', 'a.LOG', false],
    ['/a.log', 'deep/a.log', false],
    ['build/', 'build', false],
    ['build/', 'build/out', true],
    ['*.log\n!keep.log', 'keep.log', false],
    ['# no comment', '# no comment', false],
    ['\\#name', '#name', true],
    ['doc/*.txt', 'doc/a.txt', true],
    ['doc/*.txt', 'doc/sub/a.txt', false],
    ['doc/**/a.txt', 'doc/sub/sub/a.txt', true],
    ['', 'anything', false],
    ['[', '[', false],
    ['\uFEFF*.log\r\n*.tmp\r\n', 'a.tmp', true],
  ])('of the root, %j, about %s: %s', (text, path, expected) => {
    expect(ignored([['', text]], path)).toBe(expected);
  });

  test('match a directory by itself where they name directories', () => {
    expect(ignored([['', 'build/']], 'build', 'directory')).toBe(true);
  });

  test.each<[text: string, path: string, expected: boolean]>([
    ['*.log', 'sub/a.log', true],
    ['*.log', 'sub/deep/a.log', true],
    ['*.log', 'a.log', false],
    ['*.log', 'subject/a.log', false],
    ['/a.log', 'sub/a.log', true],
    ['/a.log', 'sub/deep/a.log', false],
    ['deep/a.log', 'sub/deep/a.log', true],
    ['deep/a.log', 'sub/more/deep/a.log', false],
    ['out/', 'sub/deep/out/file', true],
    ['out/ ', 'sub/deep/out/file', true],
    ['# *.log\n\n', 'sub/a.log', false],
  ])('of a directory, %j, hold below it, about %s: %s', (text, path, expected) => {
    expect(ignored([['sub', text]], path)).toBe(expected);
  });

  test('of a directory come before those of the directories above', () => {
    const files = [
      ['', '*.log\n*.d'],
      ['sub', '!keep.log\n!x.d'],
    ] as const;
    expect(ignored(files, 'sub/keep.log')).toBe(false);
    expect(ignored(files, 'keep.log')).toBe(true);
    expect(ignored(files, 'sub/x.d/file')).toBe(false);
    expect(ignored(files, 'sub/x.d/file.log')).toBe(true);
  });

  test('cannot take back a file below an ignored directory', () => {
    expect(ignored([['', 'build/\n!build/keep']], 'build/keep')).toBe(true);
  });

  test('of a directory whose name reads like a pattern hold there only', () => {
    const name = String.raw`we[i]rd *?\ name`;
    expect(ignored([[name, '*.log']], `${name}/a.log`)).toBe(true);
    expect(ignored([[name, '*.log']], `weird name/a.log`)).toBe(false);
  });

  test('always keep the state of the client out, and no rule can say otherwise', () => {
    expect(ignored([['', '!.drystone']], '.drystone', 'directory')).toBe(true);
    expect(ignored([['', '!.drystone/**']], '.drystone/tmp/x')).toBe(true);
    expect(ignored([], 'inside/.drystone', 'directory')).toBe(true);
    expect(ignored([['inside', '!.drystone/**']], 'inside/.drystone/tmp/x')).toBe(true);
    expect(ignored([], '.drystone-notes')).toBe(false);
  });

  test.each(['.DRYSTONE', '.Drystone/x', 'inside/.dRYSTONE/tmp/x', '.dry\u017ftone'])(
    'keep %s out, which elsewhere is the state of the client',
    (path) => {
      expect(ignored([], path)).toBe(true);
      expect(ignored([['', '!*']], path)).toBe(true);
    },
  );

  test.each(['.drystones', 'drystone', 'a.drystone', '.dry stone', '.DRYSTONEIGNORE'])('keep %s', (path) => {
    expect(ignored([], path)).toBe(false);
  });

  test('answer for a path in a directory that has none of its own', () => {
    expect(ignored([['a', '*.log']], 'a/not/there/yet/x.log')).toBe(true);
    expect(ignored([['a', '*.log']], 'b/x.log')).toBe(false);
  });
});
