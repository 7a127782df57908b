/** A column of a table: its heading, and whether its cells are numbers, which stand to the right. */
export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** Rows under headings, as wide as their widest cells; no trailing blanks. Without rows, nothing but the headings. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const headings = columns.map(({ heading }) => heading.toUpperCase());
  const widths = columns.map((_, index) =>
    Math.max(...[headings, ...rows].map((cells) => displayWidth(cells[index] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => pad(cells[index] ?? '', widths[index] ?? 0, align ?? 'left'))
      .join(GAP)
      .trimEnd();
  return [headings, ...rows].map(line).join('\n');
}

/** Names and values under each other: `name    value`. */
export function formatPairs(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([name]) => displayWidth(name)));
  return pairs.map(([name, value]) => `${pad(name, width, 'left')}${GAP}${value}`.trimEnd()).join('\n');
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + blanks : blanks + text;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Characters as people count them; wide ones count as one. */
function displayWidth(text: string): number {
  return [...graphemes.segment(text)].length;
}

/**
 * `name` fit for one line of a terminal: control characters, line breaks among them, and those that turn the direction of
 * writing are shown as escapes.
 */
export function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Bidi_Control}]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const escaped = JSON.stringify(character).slice(1, -1);
  return escaped === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : escaped;
}
