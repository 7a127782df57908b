import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../../..');

/** What a page says of tests: a file, and words that stand in it. */
function testsOf(page: string): { readonly page: string; readonly file: string; readonly words: string }[] {
  const text = readFileSync(join(repository, page), 'utf8');
  const rows = text.matchAll(/^\| .+? +\| `(test\/[^`]+)` +\| (.+?) +\|$/gm);
  return [...rows].map(([, file, words]) => ({ page, file: file!, words: words! }));
}

test.each([
  ['docs/testing.md', 40],
  ['docs/merge.md', 35],
])('%s lists tests', (page, atLeast) => {
  expect(testsOf(page).length).toBeGreaterThan(atLeast);
});

test.each(['docs/testing.md', 'docs/merge.md'].flatMap(testsOf))(
  '$page: $file has a test about: $words',
  ({ file, words }) => {
    expect(readFileSync(join(repository, file), 'utf8')).toContain(words);
  },
);
