import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { loadLimits, trustLimits, wireLimits } from '../../../common/limits.js';

const repository = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const below = (folder: string): string[] =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);
const pages = [...readdirSync(repository), ...below('docs'), ...below('ops')].filter((path) => path.endsWith('.md'));

/** The anchors of a page, as the common renderers make them of its headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ +(.+)$/gm);
  return new Set(
    [...headings].map(([, text]) =>
      text!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function brokenLinks(page: string): string[] {
  const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => {
    if (/^(https?|mailto):/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : join(dirname(page), decodeURIComponent(path));
    if (!existsSync(join(repository, file))) return true;
    return anchor !== undefined && !anchorsOf(read(file)).has(anchor);
  });
}

it('every link between the pages leads somewhere', () => {
  expect(pages).toContain('docs/protocol.md');
  expect(
    Object.fromEntries(pages.map((page) => [page, brokenLinks(page)]).filter(([, links]) => links!.length > 0)),
  ).toEqual({});
});

/** A decision that no longer holds is not rewritten: it names files that were there then. */
const isSuperseded = (page: string): boolean => /^Date: \S+ Status: superseded by /m.test(read(page));

it('every file that a page names in the text is there', () => {
  const named = /`((?:common|metadata|server|agent|client|cli|proto|ops|docs|scripts|test)\/[\w./-]+\.\w+)`/g;
  const missing = pages
    .filter((page) => page !== 'CHANGELOG.md' && !isSuperseded(page))
    .flatMap((page) => [...read(page).matchAll(named)].map(([, path]) => path!))
    .filter((path) => !existsSync(join(repository, path)));
  expect([...new Set(missing)]).toEqual([]);
});

it('the limits in docs/protocol.md are those of the code, all of them', () => {
  const rows = [...read('docs/protocol.md').matchAll(/^\|[^|]+\| +([\d,]+)[^|]*\| `(\w+)` +\|$/gm)];
  const documented = Object.fromEntries(
    rows.map(([, value, name]): [string, number] => [name!, Number(value!.replaceAll(',', ''))]),
  );
  expect(documented).toEqual(wireLimits);
});

it('the limits of trust and load in docs/protocol.md are those of the code', () => {
  const rows = [...read('docs/protocol.md').matchAll(/^\|[^|]+\| +([\d,]+) +\| `(trust|load)Limits\.(\w+)` +\|$/gm)];
  expect(rows.length).toBeGreaterThan(25);
  for (const [, value, of, name] of rows) {
    const limits: Readonly<Record<string, number>> = of === 'trust' ? trustLimits : loadLimits;
    expect(Number(value!.replaceAll(',', '')), name).toBe(limits[name!]);
  }
});

it('the list of decisions names every decision', () => {
  const decisions = pages
    .filter((page) => /^docs\/adr\/\d{4}-/.test(page))
    .map((page) => page.slice('docs/adr/'.length));
  const listed = [...read('docs/adr/README.md').matchAll(/\]\((\d{4}-[^)]+)\)/g)].map(([, path]) => path);
  expect(listed).toEqual(decisions.sort());
  for (const page of decisions) expect(read(`docs/adr/${page}`), page).toMatch(/^Date: \d{4}-\d\d-\d\d\. Status: /m);
});
