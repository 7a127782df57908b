import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../../..');
const page = readFileSync(join(repository, 'docs/mechanisms.md'), 'utf8');

/** The rows of the tables: number, what, the code, the test, and words that stand in the test. */
const rows = [...page.matchAll(/^\| (\d+) +\| (.+?) +\| `([^`]+)` +\| `([^`]+)` +\| (.+?) +\|$/gm)].map(
  ([, number, what, code, proof, words]) => ({
    number: Number(number),
    what: what!,
    code: code!,
    proof: proof!,
    words: words!,
  }),
);

test('all fourteen are explained and shown, in their order', () => {
  const numbers = Array.from({ length: 14 }, (_, index) => index + 1);
  const explained = [...page.matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number));
  expect(explained).toEqual(numbers);
  expect([...new Set(rows.map(({ number }) => number))]).toEqual(numbers);
});

test.each(rows)('$number, $what: $code', ({ code, proof, words }) => {
  expect(existsSync(join(repository, code)), code).toBe(true);
  expect(readFileSync(join(repository, proof), 'utf8')).toContain(words);
});
