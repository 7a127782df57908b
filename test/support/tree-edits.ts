import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Random } from '../../common/random.js';
import { numberBelow, pick, seededRandom } from './seeded-random.js';

/** What people do to a folder between two syncs. */
type Edit = (root: string, random: Random) => string;

const EDITS: readonly Edit[] = [
  function overwrite(root, random) {
    const path = pickPath(root, 'file', random);
    writeFileSync(`${root}/${path}`, random.bytes(numberBelow(50_000, random)));
    return `overwrite ${path}`;
  },
  function insertInside(root, random) {
    const path = pickPath(root, 'file', random);
    const content = readFileSync(`${root}/${path}`);
    const at = numberBelow(content.length + 1, random);
    writeFileSync(`${root}/${path}`, Buffer.concat([content.subarray(0, at), random.bytes(7), content.subarray(at)]));
    return `insert into ${path}`;
  },
  function create(root, random) {
    const path = `${pickPath(root, 'directory', random)}/new ${numberBelow(1e9, random)}`;
    writeFileSync(`${root}/${path}`, random.bytes(numberBelow(10_000, random)));
    return `create ${path}`;
  },
  function renameFile(root, random) {
    const path = pickPath(root, 'file', random);
    const target = `${pickPath(root, 'directory', random)}/moved ${numberBelow(1e9, random)}`;
    renameSync(`${root}/${path}`, `${root}/${target}`);
    return `rename ${path} to ${target}`;
  },
  function renameDirectory(root, random) {
    const path = pickPath(root, 'directory', random);
    const target = `${dirname(path)}/moved directory ${numberBelow(1e9, random)}`;
    renameSync(`${root}/${path}`, `${root}/${target}`);
    return `rename ${path} to ${target}`;
  },
  function removeFile(root, random) {
    const path = pickPath(root, 'file', random);
    rmSync(`${root}/${path}`);
    return `delete ${path}`;
  },
  function removeDirectory(root, random) {
    const path = pickPath(root, 'directory', random);
    rmSync(`${root}/${path}`, { recursive: true });
    mkdirSync(`${root}/${dirname(path)}`, { recursive: true });
    return `delete ${path} and all below`;
  },
  function changeMode(root, random) {
    const path = pickPath(root, 'file', random);
    const executable = (lstatSync(`${root}/${path}`).mode & 0o100) !== 0;
    chmodSync(`${root}/${path}`, executable ? 0o644 : 0o755);
    return `toggle the executable bit of ${path}`;
  },
  function touch(root, random) {
    const path = pickPath(root, 'file', random);
    const seconds = 1_500_000_000 + numberBelow(1e8, random);
    utimesSync(`${root}/${path}`, seconds, seconds);
    return `set the time of ${path}`;
  },
  function fileToDirectory(root, random) {
    const path = pickPath(root, 'file', random);
    rmSync(`${root}/${path}`);
    mkdirSync(`${root}/${path}`);
    writeFileSync(`${root}/${path}/was a file`, random.bytes(10));
    return `replace the file ${path} by a directory`;
  },
  function directoryToFile(root, random) {
    const path = pickPath(root, 'directory', random);
    rmSync(`${root}/${path}`, { recursive: true });
    mkdirSync(`${root}/${dirname(path)}`, { recursive: true });
    writeFileSync(`${root}/${path}`, random.bytes(10));
    return `replace the directory ${path} by a file`;
  },
  function fileToLink(root, random) {
    const path = pickPath(root, 'file', random);
    rmSync(`${root}/${path}`);
    symlinkSync(`../somewhere ${numberBelow(10, random)}`, `${root}/${path}`);
    return `replace the file ${path} by a symlink`;
  },
];

/** Changes the tree at `root` in `count` random ways, the same ones for the same seed and tree; says what was done. */
export function editTree(root: string, seed: number | string, count: number): string[] {
  const random = seededRandom(seed);
  const done: string[] = [];
  for (let index = 0; index < count; index++) done.push(pick(EDITS, random)(root, random));
  return done;
}

/** A random path of that kind below `root`; a file is made where there is none, and a directory too. */
function pickPath(root: string, kind: 'file' | 'directory', random: Random): string {
  const paths = listPaths(root)[kind];
  if (paths.length > 0) return pick(paths, random);
  const path = `made ${kind} ${numberBelow(1e9, random)}`;
  if (kind === 'directory') mkdirSync(`${root}/${path}`);
  else writeFileSync(`${root}/${path}`, random.bytes(100));
  return path;
}

/** Walks by itself: from Node 24 on a recursive readdir follows symlinks to directories. */
function listPaths(root: string): { file: string[]; directory: string[] } {
  const found = { file: [] as string[], directory: [] as string[] };
  const visit = (directory: string): void => {
    for (const entry of readdirSync(`${root}/${directory}`, { withFileTypes: true })) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (path === '.drystone') continue;
      if (entry.isFile()) found.file.push(path);
      if (!entry.isDirectory()) continue;
      found.directory.push(path);
      visit(path);
    }
  };
  visit('');
  return { file: found.file.sort(), directory: found.directory.sort() };
}
