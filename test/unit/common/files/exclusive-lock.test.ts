import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { exclusiveLockHolder, takeExclusiveLock, type ExclusiveLock } from '../../../../common/files/exclusive-lock.js';
import { waitUntil } from '../../../support/wait-until.js';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drystone-lock-'));
  path = join(directory, 'lock');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** No process has this id. */
const GONE = { pid: 2 ** 30, host: hostname(), startedAt: '1' };

it('is held by one until it is released', async () => {
  const lock = (await takeExclusiveLock(path)) as ExclusiveLock;
  expect(await takeExclusiveLock(path)).toEqual({ heldBy: process.pid });
  expect(await exclusiveLockHolder(path)).toBe(process.pid);
  await lock.release();
  expect(await exclusiveLockHolder(path)).toBeUndefined();
  expect(await takeExclusiveLock(path)).toHaveProperty('release');
});

it.each([
  ['of a process that is gone', JSON.stringify(GONE)],
  ['of an earlier process with the same id', JSON.stringify({ ...GONE, pid: process.pid })],
  ['that a power cut left empty', ''],
])('a lock %s is taken over by exactly one of many', async (_what, content) => {
  for (let round = 0; round < 20; round++) {
    writeFileSync(path, content);
    const takers = await Promise.all(Array.from({ length: 8 }, () => takeExclusiveLock(path)));
    expect(takers.filter((taker) => 'release' in taker)).toHaveLength(1);
    expect(existsSync(path)).toBe(true);
  }
  expect(readdirSync(directory)).toEqual(['lock']);
});

it('is taken over from a process that has ended, though its parent has not asked how', async () => {
  // The shell becomes a program that waits for nobody.
  const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line);
    await waitUntil('it has ended', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
    const startedAt = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21];
    writeFileSync(path, JSON.stringify({ pid, host: hostname(), startedAt }));
    expect(await exclusiveLockHolder(path)).toBeUndefined();
    expect(await takeExclusiveLock(path)).toHaveProperty('release');
  } finally {
    parent.kill();
  }
});

it('is not taken from another host, whose processes cannot be seen', async () => {
  writeFileSync(path, JSON.stringify({ ...GONE, host: 'elsewhere' }));
  expect(await takeExclusiveLock(path)).toEqual({ heldBy: GONE.pid });
});

it('is taken over even where a taker died while it took over', async () => {
  writeFileSync(path, JSON.stringify(GONE));
  writeFileSync(`${path}.takeover`, JSON.stringify(GONE));
  expect(await takeExclusiveLock(path)).toHaveProperty('release');
  expect(readdirSync(directory)).toEqual(['lock']);
});
