import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '../../common/random.js';
import { numberBelow, pick, seededRandom } from './seeded-random.js';

/** One entry of a tree that is to be made on disk. */
export type TreeEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: Buffer;
      readonly executable: boolean;
      readonly modifiedAtMs: number;
    }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

export interface TreeOptions {
  readonly seed: number;
  /** Plain files beside the odd ones; about one directory for twenty of them. */
  readonly fileCount: number;
}

/** Names that are legal on Linux and have broken programs before. */
const ODD_NAMES: readonly string[] = [
  'two words.txt',
  ' leading and trailing ',
  '.hidden',
  '..two dots',
  '...',
  '-rf',
  '--help',
  '~',
  '$HOME `id` "quoted" \'single\'.txt',
  'back\\slash',
  'new\nline',
  'tab\tand\rreturn',
  'star*?[a-z]{b}.glob',
  '#not-a-comment',
  '!negated',
  'percent%2Fslash',
  'colon:semicolon;pipe|.txt',
  'Grüße aus Zürich',
  'ελληνικά',
  '日本語のファイル名.txt',
  'עברית',
  '🧱👩‍👩‍👧‍👦.png',
  'zero\u200bwidth',
  'name.with.many.dots.tar.gz',
  'ends with dot.',
  'CON',
  'nul.txt',
  'constructor',
  '__proto__',
  'x'.repeat(255),
  'ü'.repeat(127),
];

const WORDS = [
  'report',
  'draft',
  'photo',
  'index',
  'notes',
  'budget',
  'plan',
  'module',
  'test',
  'data',
  'letter',
  'map',
];
const EXTENSIONS = ['.txt', '.md', '.ts', '.json', '.jpg', '.csv', '', '.html'];
/** Some whole second of 2024; file times are spread over the year after it. */
const EPOCH_MS = 1_704_067_200_000;
const YEAR_MS = 365 * 24 * 3600 * 1000;
/** Sizes as folders of people have them: many small files, few of several blocks. */
const SIZES = [0, 1, 17, 300, 1_000, 2_500, 4_096, 9_000, 20_000];
const LARGE_SIZES = [131_071, 131_073, 700_000, 3_000_000];

/**
 * The entries of a folder as people have it: nested directories, mostly small files, some of several blocks, copies of
 * one another, executables, empty files and directories, symlinks that lead inside, outside and nowhere, and every one
 * of {@link ODD_NAMES} as a file and as a directory. The same seed gives the same tree. Parents come before children.
 */
function describeTree({ seed, fileCount }: TreeOptions): TreeEntry[] {
  const random = seededRandom(seed);
  const directories = describeDirectories(Math.ceil(fileCount / 20), random);
  const entries: TreeEntry[] = directories.map((path) => ({ kind: 'directory', path }));
  const contents: Buffer[] = [];
  for (let index = 0; index < fileCount; index++) {
    const name = `${pick(WORDS, random)}-${index}${pick(EXTENSIONS, random)}`;
    const content = describeContent(index, contents, random);
    contents.push(content);
    entries.push(describeFile(join(pick(directories, random), name), content, random));
  }
  entries.push(...describeOddEntries(random), ...describeLinks(entries, random));
  return entries;
}

function describeDirectories(count: number, random: Random): string[] {
  const paths = ['top'];
  for (let index = 0; index < count; index++) paths.push(join(pick(paths, random), `${pick(WORDS, random)} ${index}`));
  return paths;
}

function describeContent(index: number, earlier: readonly Buffer[], random: Random): Buffer {
  if (earlier.length > 0 && index % 10 === 9) return pick(earlier, random);
  if (index % 400 === 1) return random.bytes(pick(LARGE_SIZES, random));
  return random.bytes(pick(SIZES, random));
}

function describeFile(path: string, content: Buffer, random: Random): TreeEntry {
  const modifiedAtMs = EPOCH_MS + numberBelow(YEAR_MS, random);
  return { kind: 'file', path, content, executable: numberBelow(10, random) === 0, modifiedAtMs };
}

function describeOddEntries(random: Random): TreeEntry[] {
  const entries: TreeEntry[] = [{ kind: 'directory', path: 'odd' }];
  for (const name of ODD_NAMES) {
    const directory = join('odd', 'in', name);
    entries.push(describeFile(join('odd', name), Buffer.from(`content of ${name}`), random));
    entries.push(
      { kind: 'directory', path: directory },
      describeFile(`${directory}/inside`, random.bytes(100), random),
    );
  }
  const deep = Array.from({ length: 40 }, (_, depth) => `level ${depth}`).join('/');
  entries.push({ kind: 'directory', path: join('odd', deep) });
  entries.push(describeFile(join('odd', deep, 'bottom'), random.bytes(10), random));
  return entries;
}

function describeLinks(entries: readonly TreeEntry[], random: Random): TreeEntry[] {
  const file = pick(
    entries.filter((entry) => entry.kind === 'file'),
    random,
  );
  const targets = [
    file.path,
    '../' + file.path,
    '..',
    '.',
    'nowhere/at all',
    '/etc/hostname',
    '/',
    '../../../..',
    'top\n',
  ];
  const links = targets.map((target, index): TreeEntry => ({
    kind: 'symlink',
    path: join('links', `to-${index}`),
    target,
  }));
  return [{ kind: 'directory', path: 'links' }, ...links];
}

/** Makes `entries` below `root`, which need not exist. */
function writeTree(root: string, entries: readonly TreeEntry[]): void {
  mkdirSync(root, { recursive: true });
  for (const entry of entries) {
    const path = `${root}/${entry.path}`;
    if (entry.kind === 'directory') {
      mkdirSync(path, { recursive: true });
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    if (entry.kind === 'symlink') {
      symlinkSync(entry.target, path);
    } else {
      writeFileSync(path, entry.content);
      chmodSync(path, entry.executable ? 0o755 : 0o644);
      utimesSync(path, entry.modifiedAtMs / 1000, entry.modifiedAtMs / 1000);
    }
  }
}

/** {@link describeTree} and {@link writeTree} in one. */
export function makeTree(root: string, options: TreeOptions): void {
  writeTree(root, describeTree(options));
}
