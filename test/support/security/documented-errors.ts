import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Each reason in the table of docs/errors.md with its codes; of `TRANSPORT`, none. */
export function documentedErrors(): ReadonlyMap<string, readonly string[]> {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');
  const rows = page.matchAll(/^\| `([A-Z_]+)` +\| ([^|]+)\|/gm);
  return new Map(
    [...rows].map(([, reason, codes]) => [reason!, [...codes!.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code!)]),
  );
}
