import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stampOf } from '../../../client/observe/stable-file.js';
import type { CutRequest } from '../../../client/observe/cutter.js';

/** A new directory that goes when the test that asked for it has ended. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drystone-observe-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file below `folder`, making the directories above it. */
export function plant(folder: string, path: string, content: string | Uint8Array = path): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** Makes a named pipe. */
export function plantPipe(file: string): void {
  execFileSync('mkfifo', [file]);
}

/** The file as a scan would ask for it to be cut, now. */
export function requestFor(absolutePath: string): CutRequest {
  return { absolutePath, stamp: stampOf(lstatSync(absolutePath, { bigint: true })) };
}
