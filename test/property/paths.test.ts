import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseName, isAtOrBelow, parentPath, pathProblem, twinKey } from '../../common/feed/paths.js';
import { wireLimits } from '../../common/limits.js';
import { itemPaths } from '../support/feed-arbitraries.js';

const ROOT = '/srv/folder';
/** Texts made of what paths go wrong with. */
const trickyTexts = fc
  .array(fc.constantFrom('a', '/', '.', '..', '\0', 'é', 'e\u0301', '\ud800', ' ', '\\', 'Ä', '\n', 'x'.repeat(250)), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

describe('paths', () => {
  it('that are taken stay below the root, whoever resolves them', () => {
    fc.assert(
      fc.property(fc.oneof(trickyTexts, fc.string({ unit: 'binary' })), (path) => {
        if (pathProblem(path) !== undefined) return;
        expect(posix.join(ROOT, path)).toBe(`${ROOT}/${path}`);
        expect(path).not.toContain('\0');
        expect(path.normalize('NFC')).toBe(path);
        expect(Buffer.from(path).toString()).toBe(path);
        expect(Buffer.byteLength(path)).toBeLessThanOrEqual(wireLimits.pathBytes);
      }),
    );
  });

  it('are refused for each thing that is wrong, and only then', () => {
    fc.assert(
      fc.property(trickyTexts, (path) => {
        const parts = path.split('/');
        const isFine =
          parts.every(
            (part) =>
              part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= wireLimits.pathPartBytes,
          ) &&
          !path.includes('\0') &&
          path.isWellFormed() &&
          path.normalize('NFC') === path &&
          Buffer.byteLength(path) <= wireLimits.pathBytes;
        expect(pathProblem(path) === undefined).toBe(isFine);
      }),
    );
  });

  it('are taken apart and put together', () => {
    fc.assert(
      fc.property(itemPaths, (path) => {
        const parent = parentPath(path);
        expect(parent === undefined ? baseName(path) : `${parent}/${baseName(path)}`).toBe(path);
        expect(baseName(path)).not.toContain('/');
        expect(isAtOrBelow(path, path)).toBe(true);
        expect(isAtOrBelow(path, '')).toBe(true);
        if (parent !== undefined) {
          expect(pathProblem(parent)).toBeUndefined();
          expect(isAtOrBelow(path, parent)).toBe(true);
          expect(isAtOrBelow(parent, path)).toBe(false);
        }
        expect(isAtOrBelow(`${path}x`, path)).toBe(false);
      }),
    );
  });

  it('that differ in ASCII case or in normalization are twins', () => {
    fc.assert(
      fc.property(itemPaths, (path) => {
        const shouted = path.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()) as typeof path;
        expect(twinKey(shouted)).toBe(twinKey(path));
        expect(twinKey(path.normalize('NFD') as typeof path)).toBe(twinKey(path));
        expect(twinKey(twinKey(path) as typeof path)).toBe(twinKey(path));
      }),
    );
  });
});
