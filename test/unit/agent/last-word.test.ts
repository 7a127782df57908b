import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { KeptLastWord } from '../../../agent/last-word.js';
import { agentLimits } from '../../../common/limits.js';
import { silentLogger } from '../../../common/logging.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const START_MS = 1_900_000_000_000;
let path: string;
let clock: ManualClock;
beforeEach(() => {
  path = join(temporaryDirectory(), 'last-word.json');
  clock = new ManualClock(START_MS);
});

const load = () => KeptLastWord.load(path, { clock, logger: silentLogger() });
const kept = () => JSON.parse(readFileSync(path, 'utf8')) as unknown;

it('was never said where nothing is kept', async () => {
  expect(await load()).toMatchObject({ atMs: undefined, ageMs: undefined });
});

it('is known at once, and after a restart', async () => {
  const word = await load();
  word.heard();
  expect(word).toMatchObject({ atMs: START_MS, ageMs: 0 });
  await word.keep();
  clock.advance(5000);
  expect(await load()).toMatchObject({ atMs: START_MS, ageMs: 5000 });
});

it('is written down once in a while, and when it is asked for', async () => {
  const word = await load();
  word.heard();
  await word.keep();
  clock.advance(agentLimits.lastWordKeptMs - 1);
  word.heard();
  expect(word.atMs).toBe(clock.nowMs());
  expect(kept()).toEqual({ heardAtMs: START_MS });
  await word.keep();
  expect(kept()).toEqual({ heardAtMs: START_MS + agentLimits.lastWordKeptMs - 1 });
});

it('is of no age where the clock was set back', async () => {
  writeFileSync(path, JSON.stringify({ heardAtMs: START_MS + 1000 }));
  expect(await load()).toMatchObject({ ageMs: 0 });
});

it.each(['', '{}', '{"heardAtMs":-1}', '{"heardAtMs":"1"}'])('cannot be read from %j', async (text) => {
  writeFileSync(path, text);
  await expect(load()).rejects.toMatchObject({ code: 'INTERNAL', reason: 'STORE_FAILED' });
});

it('outlives a disk that does not take it', async () => {
  const word = await KeptLastWord.load(join(path, 'nowhere'), { clock, logger: silentLogger() });
  word.heard();
  await word.keep();
  expect(word.atMs).toBe(START_MS);
});
