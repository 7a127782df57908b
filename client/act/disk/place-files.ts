import { closeSync, constants, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { refusalOf } from './disk-refusal.js';
import type { DiskOutcome, PlacedFile, PlaceFilesTask, Standing, StepHook } from './disk-task.js';
import { setAttributes } from './file-attributes.js';
import { SafeFolder } from './safe-folder.js';
import { syncPaths } from './sync-files.js';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
const WRITTEN_FILE = constants.O_WRONLY | constants.O_NOFOLLOW;
const NEW_FILE_MODE = 0o666;

/** A file on its way to its place; `failure` ends the way. */
interface Candidate {
  readonly file: PlacedFile;
  readonly temporary: string;
  failure: DiskOutcome | undefined;
}

/** See `Disk.placeFiles`. */
export function placeFiles(task: PlaceFilesTask, step: StepHook): DiskOutcome[] {
  const folder = new SafeFolder(task.root);
  const candidates = task.files.map((file): Candidate => {
    const temporary = join(task.temporaryDirectory, file.temporaryName);
    return { file, temporary, failure: failureOf(() => prepare(folder, file, temporary, task.content)) };
  });
  step('temporary-written');
  const ready = candidates.filter(({ failure }) => failure === undefined).map(({ temporary }) => temporary);
  syncPaths(task.root, ready);
  step('temporary-synced');
  const touched = new Set<string>();
  const outcomes = candidates.map(({ file, temporary, failure }): DiskOutcome => {
    let entry: Standing;
    const outcome = failure ?? failureOf(() => (entry = place(folder, file, temporary, touched)));
    if (outcome !== undefined) rmSync(temporary, { force: true });
    step('file-placed');
    return outcome ?? { outcome: 'done', entry };
  });
  syncPaths(task.root, [...touched]);
  step('directories-synced');
  return outcomes;
}

/** What `work` failed with, or undefined where it was done. */
function failureOf(work: () => void): DiskOutcome | undefined {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return refusalOf(thrown);
  }
}

/** Writes the temporary file, where that has not been done, and gives it its attributes. */
function prepare(folder: SafeFolder, file: PlacedFile, temporary: string, content: ArrayBuffer): void {
  const descriptor = openSync(temporary, file.bytes === undefined ? WRITTEN_FILE : NEW_FILE, NEW_FILE_MODE);
  try {
    if (file.bytes !== undefined) {
      writeWhole(descriptor, new Uint8Array(content, file.bytes.offset, file.bytes.sizeBytes));
    }
    // To whom the replaced file was closed, its successor is closed too.
    const replaced =
      file.replaces?.kind === 'file'
        ? folder.at(file, ({ path }) => lstatSync(path, { throwIfNoEntry: false }))
        : undefined;
    setAttributes(descriptor, file, replaced?.mode);
  } finally {
    closeSync(descriptor);
  }
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, written);
  }
}

/** Renames the temporary file to its place and returns what stands there then. */
function place(folder: SafeFolder, file: PlacedFile, temporary: string, touched: Set<string>): Standing {
  return folder.at(file, (spot) => {
    spot.expect(file.replaces);
    renameSync(temporary, spot.path);
    touched.add(spot.directory);
    return spot.standing();
  });
}
