import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openDataDirectory } from '../../../../common/program/data-directory.js';
import { rejection } from '../../../support/async-tools.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const FORMAT_VERSION = 3;
let path: string;
const open = (program = 'agent', oldestFormatVersion = 1) =>
  openDataDirectory({ path, program, formatVersion: FORMAT_VERSION, oldestFormatVersion });

beforeEach(() => {
  path = join(temporaryDirectory(), 'deep', 'data');
});

describe('openDataDirectory', () => {
  it('makes what is not there, for its owner alone, and says whose it is', async () => {
    const directory = await open();
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(path, 'FORMAT'), 'utf8')).toBe('drystone agent 3\n');
    await directory.release();
    expect(readdirSync(path)).toEqual(['FORMAT']);
  });

  it('opens again what it has made, and what an older release has made', async () => {
    await (await open()).release();
    await (await open()).release();
    writeFileSync(join(path, 'FORMAT'), 'drystone agent 1\n');
    await (await open()).release();
  });

  it('refuses what was written before the oldest format that it reads, and changes nothing', async () => {
    await (await open()).release();
    writeFileSync(join(path, 'FORMAT'), 'drystone agent 1\n');
    expect(await rejection(open('agent', 2))).toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'DATA_FORMAT_OLDER',
    });
    expect(readdirSync(path)).toEqual(['FORMAT']);
    writeFileSync(join(path, 'FORMAT'), 'drystone agent 2\n');
    await (await open('agent', 2)).release();
  });

  it('refuses a second process: DATA_DIRECTORY_BUSY, with the id of the first', async () => {
    const first = await open();
    const error = await rejection(open());
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'DATA_DIRECTORY_BUSY' });
    expect((error as Error).message).toContain(String(process.pid));
    await first.release();
    await (await open()).release();
  });

  it('says on a full disk which directory needs room, and leaves nothing there', async () => {
    await (await open()).release();
    // What is written through these meets a full disk; how many locks this process has taken before nobody here knows.
    const candidates = Array.from({ length: 10_000 }, (_, count) => `lock.${process.pid}-${count}`);
    for (const name of candidates) symlinkSync('/dev/full', join(path, name));
    expect(await rejection(open())).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'DISK_FULL',
      message: expect.stringMatching(`^${path}/lock cannot be written, since its disk is full; make room`) as string,
    });
    expect(readdirSync(path)).toHaveLength(1 + candidates.length - 1);
  });

  it('is not begun where a store would find no room, and is opened there once it has been', async () => {
    const full = { path, program: 'agent', formatVersion: FORMAT_VERSION, freeBytes: () => Promise.resolve(8192) };
    expect(await rejection(openDataDirectory(full))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'DISK_FULL',
      message: expect.stringMatching(`^${path} needs .* and its disk has 8192; make room`) as string,
    });
    expect(readdirSync(path)).toEqual([]);
    await (await open()).release();
    await (await openDataDirectory(full)).release();
  });

  it('is taken over from a process that was killed', async () => {
    await (await open()).release();
    const lock = join(path, 'lock');
    const holder = spawn(process.execPath, [
      '-e',
      `const { readFileSync, writeFileSync } = require('node:fs');
       const stat = readFileSync('/proc/self/stat', 'utf8');
       const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
       const owner = { pid: process.pid, host: require('node:os').hostname(), startedAt };
       writeFileSync(${JSON.stringify(lock)}, JSON.stringify(owner));
       console.log('held');
       setInterval(() => undefined, 1000);`,
    ]);
    await once(holder.stdout, 'data');
    expect(await rejection(open())).toMatchObject({ reason: 'DATA_DIRECTORY_BUSY' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await open()).release();
  });

  it.each([
    ['of a newer release', 'drystone agent 4\n', 'DATA_FORMAT_NEWER'],
    ['of another program', 'drystone metadata 3\n', 'DATA_FORMAT_UNKNOWN'],
    ['of who knows what', 'something else\n', 'DATA_FORMAT_UNKNOWN'],
    ['whose format cannot be read', 'drystone agent\n', 'DATA_FORMAT_UNKNOWN'],
  ])('refuses a directory %s, and changes nothing', async (_, format, reason) => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'FORMAT'), format);
    expect(await rejection(open())).toMatchObject({ code: 'FAILED_PRECONDITION', reason });
    expect(readdirSync(path)).toEqual(['FORMAT']);
    expect(readFileSync(join(path, 'FORMAT'), 'utf8')).toBe(format);
  });

  it('refuses a directory with files of somebody else, and changes nothing', async () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'thesis.tex'), 'years of work');
    const error = await rejection(open());
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'DATA_FORMAT_UNKNOWN' });
    expect((error as Error).message).toContain('thesis.tex');
    expect(readdirSync(path)).toEqual(['thesis.tex']);
  });

  it('takes what an operator may have put there before the first start, and nothing beside it', async () => {
    const prepared = ['ca'];
    const options = { path, program: 'metadata', formatVersion: FORMAT_VERSION, prepared };
    mkdirSync(join(path, 'ca'), { recursive: true });
    writeFileSync(join(path, 'thesis.tex'), 'years of work');
    expect(await rejection(openDataDirectory(options))).toMatchObject({ reason: 'DATA_FORMAT_UNKNOWN' });
    rmSync(join(path, 'thesis.tex'));
    expect(await rejection(open('metadata'))).toMatchObject({ reason: 'DATA_FORMAT_UNKNOWN' });
    await (await openDataDirectory(options)).release();
    expect(readFileSync(join(path, 'FORMAT'), 'utf8')).toBe('drystone metadata 3\n');
  });

  it('goes on where its first start was cut short, and takes an empty file system', async () => {
    mkdirSync(join(path, 'lost+found'), { recursive: true });
    writeFileSync(join(path, 'FORMAT.new'), 'drysto');
    writeFileSync(join(path, 'lock.4711-0'), '');
    await (await open()).release();
    expect(readFileSync(join(path, 'FORMAT'), 'utf8')).toBe('drystone agent 3\n');
  });
});
