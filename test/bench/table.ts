import { isMet, ratioOf, type BenchLine } from './bench-line.js';
import { show } from './statistics.js';

const HEADINGS = ['what', 'measured', 'limit', 'limit is', 'ratio', ''];

/** The lines as a table for people, notes below it. A ratio above 1 is better than asked. */
export function formatTable(lines: readonly BenchLine[]): string {
  const rows = lines.map((line) => [
    line.what,
    `${show(line.measured)} ${line.unit}`,
    `${line.direction} ${show(line.limit)} ${line.unit}`,
    line.limitIs,
    show(ratioOf(line)),
    isMet(line) ? 'met' : 'NOT MET',
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const format = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const notes = lines.flatMap(({ what, notes = [] }) => notes.map((note) => `${what}: ${note}`));
  return [format(HEADINGS), rule, ...rows.map(format), '', ...notes].join('\n');
}
