import type { ErrorCode, ErrorReason } from '../../../common/errors.js';
import { DrystoneError } from '../../../common/errors.js';

/** The words of the tables, and what they stand for on the wire. */
const WORDS: Readonly<Record<string, readonly [ErrorCode, ErrorReason]>> = {
  missing: ['UNAUTHENTICATED', 'CERTIFICATE_MISSING'],
  invalid: ['UNAUTHENTICATED', 'CERTIFICATE_INVALID'],
  expired: ['UNAUTHENTICATED', 'CERTIFICATE_EXPIRED'],
  revoked: ['UNAUTHENTICATED', 'IDENTITY_REVOKED'],
  role: ['PERMISSION_DENIED', 'ROLE_INSUFFICIENT'],
  unknown: ['NOT_FOUND', 'NAMESPACE_UNKNOWN'],
  'not here': ['NOT_FOUND', 'NAMESPACE_NOT_ASSIGNED'],
  'no token': ['UNAUTHENTICATED', 'TOKEN_MISSING'],
  'bad token': ['UNAUTHENTICATED', 'TOKEN_INVALID'],
  'old token': ['UNAUTHENTICATED', 'TOKEN_EXPIRED'],
};

/** What became of a call, in the words of the tables: `ok`, or the refusal; what has no word as code and reason. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (thrown) {
    if (!(thrown instanceof DrystoneError)) throw thrown;
    const { code, reason, message } = thrown;
    const word = Object.entries(WORDS).find(([, [wordCode, wordReason]]) => wordCode === code && wordReason === reason);
    return word?.[0] ?? `${code} ${reason}: ${message}`;
  }
}

/** One line of a table: what is called, and the word for each column. */
export interface TableRow {
  readonly name: string;
  readonly expected: Readonly<Record<string, string>>;
}

/** Reads a table: a line of columns, then a line for each row, cells between bars. Throws where a cell has no meaning. */
export function readTable(text: string): readonly TableRow[] {
  const lines = text.split('\n').filter((line) => line.includes('|'));
  const [columns = [], ...rows] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows.map(([name = '', ...cells]) => {
    if (cells.length !== columns.length - 1) throw new Error(`the line of ${name} has not one cell for each column`);
    const odd = cells.find((cell) => cell !== 'ok' && !(cell in WORDS));
    if (odd !== undefined) throw new Error(`the line of ${name} has a cell without meaning: ${odd}`);
    return { name, expected: Object.fromEntries(cells.map((cell, index) => [columns[index + 1]!, cell])) };
  });
}
