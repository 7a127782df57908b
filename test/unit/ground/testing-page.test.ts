import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../../..');
const page = readFileSync(join(repository, 'docs/testing.md'), 'utf8');
const rows = [...page.matchAll(/^\| .+? +\| `(test\/[^`]+)` +\| (.+?) +\|$/gm)].map(([, file, words]) => ({
  file: file!,
  words: words!,
}));

test('docs/testing.md lists tests', () => {
  expect(rows.length).toBeGreaterThan(40);
});

test.each(rows)('$file has a test about: $words', ({ file, words }) => {
  expect(readFileSync(join(repository, file), 'utf8')).toContain(words);
});
