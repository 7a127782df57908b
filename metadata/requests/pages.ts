import { invalidArgument } from '../../common/errors.js';
import { wireLimits } from '../../common/limits.js';
import type { Page } from '../store/rows.js';

/** How many rows a page may have; INVALID_ARGUMENT where more are asked for than one can. */
export function parsePageSize(pageSize: number): number {
  const { rowsPerPage } = wireLimits;
  if (pageSize > rowsPerPage) throw invalidArgument('page_size', `must be at most ${rowsPerPage}`);
  return pageSize === 0 ? rowsPerPage : pageSize;
}

/** The row after which a page begins; undefined for the first. INVALID_ARGUMENT where `parse` refuses the token. */
export function parsePageToken<Key>(pageToken: string, parse: (field: string, value: string) => Key): Key | undefined {
  return pageToken === '' ? undefined : parse('page_token', pageToken);
}

/** What asks for the page after this one; empty where there is none. */
export function nextPageToken<Row>({ rows, hasMore }: Page<Row>, keyOf: (row: Row) => string): string {
  const last = rows.at(-1);
  return hasMore && last !== undefined ? keyOf(last) : '';
}
