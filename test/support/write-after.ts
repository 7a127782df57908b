import { statSync, writeFileSync } from 'node:fs';

/** Writes a file so that its file system says it was changed after `earlier` was, in whole milliseconds. */
export function writeAfter(earlier: string, path: string, text: string): void {
  const changedAtMs = (file: string): number => Math.floor(statSync(file).ctimeMs);
  do writeFileSync(path, text);
  while (changedAtMs(path) <= changedAtMs(earlier));
}
