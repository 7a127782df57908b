import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { auditActions } from '../../../metadata/store/rows.js';

const repository = join(import.meta.dirname, '../../..');
const page = readFileSync(join(repository, 'docs/security.md'), 'utf8');
const threats = [...page.matchAll(/^\| (.+?) +\| (.+?) +\| `(test\/[^`]+)` +\| (.+?) +\|$/gm)].map(
  ([, threat, , file, words]) => ({ threat: threat!, file: file!, words: words! }),
);

it('docs/security.md names the test of every threat', () => {
  const section = page.slice(page.indexOf('## Threats'), page.indexOf('## The audit log'));
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !/^\| (-|threat )/.test(line));
  expect(threats.length).toBeGreaterThan(25);
  expect(threats).toHaveLength(rows.length);
});

it.each(threats)('$threat: there is a test', ({ file, words }) => {
  expect(existsSync(join(repository, file)), file).toBe(true);
  expect(readFileSync(join(repository, file), 'utf8')).toContain(words);
});

it('docs/security.md explains every audit action, in alphabetical order', () => {
  const explained = [...page.matchAll(/^\| `([a-z-]+\.[a-z]+)` +\| .{10,} \|$/gm)].map(([, action]) => action);
  expect(explained).toEqual([...auditActions]);
});
