import { wireLimits } from '../../common/limits.js';
import type { Page } from '../store/rows.js';

/** Every row of an ordered list of the store, read page by page. */
export async function* allRows<Row, Key>(
  list: (after: Key | undefined, limit: number) => Promise<Page<Row>>,
  keyOf: (row: Row) => Key,
): AsyncGenerator<Row, void, undefined> {
  let after: Key | undefined;
  for (let hasMore = true; hasMore;) {
    const page = await list(after, wireLimits.rowsPerPage);
    yield* page.rows;
    const last = page.rows.at(-1);
    if (last === undefined) return;
    after = keyOf(last);
    ({ hasMore } = page);
  }
}
