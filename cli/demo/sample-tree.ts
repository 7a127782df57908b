import { chmod, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Random } from '../../common/random.js';
import { oneOf, seededRandom, wholeNumberBetween } from './seeded-random.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** A file of the sample, before it is written. */
interface SampleFile {
  readonly path: string;
  readonly content: Buffer;
  readonly executable?: boolean;
}

const SEED = 'drystone demo';
const BIG_FILE_BYTES = 64 * MiB;
/** Files are dated over the year that began then. */
const FIRST_DAY_MS = Date.UTC(2025, 0, 1);
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

const TEXT_WORDS =
  'stone wall course batter hearting cope through footing gap field gate slope lay each over two with the a and of'.split(
    ' ',
  );

/** Names that are legal and that careless programs break. */
const ODD_NAMES = [
  'two  spaces.txt',
  '.hidden',
  '-rf',
  '$HOME `id` "quoted" \'single\'.txt',
  'back\\slash',
  'new\nline.txt',
  'star*?[a-z].glob',
  '100%2F.txt',
  'Muro de pedra seca – Évora.txt',
  'ξερολιθιά.txt',
  '石垣.txt',
  '🧱.txt',
  'ends with a dot.',
  '__proto__',
  `long ${'x'.repeat(240)}`,
] as const;

/**
 * Makes a folder as an office has one below `root`, which must be an empty directory: about 600 files in nested
 * directories, most of them small, a film of 64 MiB, copies of one another, two versions of a big archive, odd names,
 * empty files and directories, symlinks and programs. The same bytes and times on every machine.
 */
export async function makeSampleTree(root: string): Promise<void> {
  const random = seededRandom(SEED);
  for (const directory of ['inbox', 'archive/empty/as well']) await mkdir(join(root, directory), { recursive: true });
  for (const file of sampleFiles(random)) await writeSampleFile(root, file, random);
  await symlink('surveys/2025-01', join(root, 'latest survey'));
  await symlink('../films/opening.mov', join(root, 'projects/film'));
  await symlink('nowhere', join(root, 'inbox/dangling'));
}

function* sampleFiles(random: Random): Generator<SampleFile> {
  yield { path: 'films/opening.mov', content: random.bytes(BIG_FILE_BYTES) };
  yield { path: 'films/notes.txt', content: text(2 * KiB, random) };
  yield* projectFiles(random);
  yield* surveyFiles(random);
  yield* archiveFiles(random);
  for (const name of ODD_NAMES) yield { path: `odd names/${name}`, content: text(200, random) };
  yield { path: 'odd names/empty', content: Buffer.alloc(0) };
}

function* projectFiles(random: Random): Generator<SampleFile> {
  const letterhead = random.bytes(300 * KiB);
  for (let project = 1; project <= 12; project++) {
    const directory = `projects/${String(project).padStart(2, '0')} north field`;
    // Every project has its copy of the same letterhead: sent once.
    yield { path: `${directory}/letterhead.png`, content: letterhead };
    yield { path: `${directory}/build.sh`, content: text(400, random), executable: true };
    yield {
      path: `${directory}/plans/elevation.dwg`,
      content: random.bytes(wholeNumberBetween(100, 900, random) * KiB),
    };
    for (let letter = 1; letter <= 20; letter++) {
      yield { path: `${directory}/letters/${letter}.txt`, content: text(wholeNumberBetween(1, 6_000, random), random) };
    }
  }
}

function* surveyFiles(random: Random): Generator<SampleFile> {
  for (let month = 1; month <= 12; month++) {
    const directory = `surveys/2025-${String(month).padStart(2, '0')}`;
    for (let sheet = 1; sheet <= 25; sheet++) {
      yield { path: `${directory}/sheet ${sheet}.csv`, content: numbers(wholeNumberBetween(5, 300, random), random) };
    }
  }
}

function* archiveFiles(random: Random): Generator<SampleFile> {
  const accounts = random.bytes(9 * MiB);
  yield { path: 'archive/accounts.tar', content: accounts };
  // The version of the day before: what was added since stands near its beginning.
  yield {
    path: 'archive/accounts (old).tar',
    content: Buffer.concat([accounts.subarray(0, MiB), accounts.subarray(MiB + 5_000)]),
  };
  yield { path: 'archive/copy of accounts.tar', content: accounts };
}

function text(sizeBytes: number, random: Random): Buffer {
  const words: string[] = [];
  for (let length = 0; length < sizeBytes; length += (words.at(-1) ?? '').length + 1)
    words.push(oneOf(TEXT_WORDS, random));
  return Buffer.from(words.join(' ').slice(0, sizeBytes));
}

function numbers(rows: number, random: Random): Buffer {
  const lines = Array.from(
    { length: rows },
    (_, row) => `${row},${random.fraction().toFixed(4)},${random.fraction().toFixed(4)}`,
  );
  return Buffer.from(`station,height,width\n${lines.join('\n')}\n`);
}

async function writeSampleFile(root: string, { path, content, executable }: SampleFile, random: Random): Promise<void> {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
  await chmod(target, executable === true ? 0o755 : 0o644);
  const modifiedAtSeconds = (FIRST_DAY_MS + Math.floor(random.fraction() * YEAR_MS)) / 1000;
  await utimes(target, modifiedAtSeconds, modifiedAtSeconds);
}
