import type { FeedEntry, ItemContent, ItemPath } from '../../common/feed/item.js';
import { isAtOrBelow, parentPath } from '../../common/feed/paths.js';
import { formatTable, printable } from '../output/table.js';
import { formatCount, formatMoment } from '../output/units.js';

/** An item as `--json` shows it; what its kind does not have is absent. */
export interface ItemDocument {
  readonly path: ItemPath;
  readonly kind: ItemContent['kind'];
  readonly sizeBytes?: number;
  /** Milliseconds since 1970 UTC. */
  readonly modifiedAtMs?: number;
  readonly executable?: boolean;
  /** Where a symlink leads, as stored in it. */
  readonly target?: string;
  readonly cursor: number;
  /** The device that made the last change. */
  readonly author: string;
}

/**
 * What is listed at `path`, ordered by path, from all entries at or below it: what lies directly in it, or all below it;
 * where it is no directory, itself. Undefined where there is nothing at `path`.
 */
export function selectListed(
  entries: readonly FeedEntry[],
  path: ItemPath | '',
  recursive: boolean,
): readonly FeedEntry[] | undefined {
  const present = entries.filter(({ item }) => isAtOrBelow(item.path, path) && item.content.kind !== 'deletion');
  if (present.length === 0 && path !== '') return undefined;
  const at = path === '' ? undefined : path;
  return present
    .filter(({ item: { path: found, content } }) => {
      if (found === at) return content.kind !== 'directory';
      return recursive || parentPath(found) === at;
    })
    .sort((a, b) => (a.item.path < b.item.path ? -1 : 1));
}

/** An entry of a feed for `--json`. */
export function itemDocument({ cursor, item: { path, author, content } }: FeedEntry): ItemDocument {
  const document = { path, kind: content.kind, cursor, author };
  switch (content.kind) {
    case 'file': {
      const { sizeBytes, modifiedAtMs, executable } = content;
      return { ...document, sizeBytes, modifiedAtMs, executable };
    }
    case 'symlink':
      return { ...document, target: content.target };
    case 'directory':
    case 'deletion':
      return document;
  }
}

/** Items as a table; names are shown on one line whatever they contain. */
export function formatItems(items: readonly ItemDocument[]): string {
  if (items.length === 0) return '';
  const columns = [
    { heading: 'kind' },
    { heading: 'bytes', align: 'right' },
    { heading: 'modified (utc)' },
    { heading: 'path' },
  ] as const;
  const rows = items.map((item) => [
    item.executable === true ? 'program' : item.kind,
    item.sizeBytes === undefined ? '' : formatCount(item.sizeBytes),
    item.modifiedAtMs === undefined ? '' : formatMoment(item.modifiedAtMs),
    `${printable(item.path)}${suffixOf(item)}`,
  ]);
  return formatTable(columns, rows);
}

function suffixOf({ kind, target }: ItemDocument): string {
  if (kind === 'directory') return '/';
  return target === undefined ? '' : ` -> ${printable(target)}`;
}
