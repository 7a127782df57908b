import { existsSync, readFileSync } from 'node:fs';

/** The software's version, from package.json: it lies beside the sources and one level above what is built from them. */
export const softwareVersion: string = readVersion();

function readVersion(): string {
  const candidates = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url));
  const file = candidates.find((candidate) => existsSync(candidate));
  if (file === undefined) return 'unknown';
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
