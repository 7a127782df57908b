import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ChildEvent } from '../../../../cli/demo/child-program.js';
import { runStep, type StepClient, type StepContext } from '../../../../cli/demo/demo-step.js';
import { NOTHING_DONE } from '../../../../cli/output/sync-text.js';
import type { Clock } from '../../../../common/clock.js';

let directory: string;
let events: ChildEvent[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drystone-step-'));
  mkdirSync(join(directory, 'expected'));
  events = [synced(0)];
});
afterEach(() => rmSync(directory, { recursive: true }));

function synced(itemsCommitted: number): ChildEvent {
  return { event: 'synced', summary: { ...NOTHING_DONE, itemsCommitted } };
}

function client(site: 'lisbon' | 'porto'): StepClient {
  const folder = join(directory, site);
  mkdirSync(folder);
  return { site, folder, program: { events: () => Promise.resolve(events) } };
}

/** A minute passes whenever somebody waits. */
function hurriedClock(): Clock {
  let nowMs = 0;
  const sleep = (): Promise<void> => {
    nowMs += 60_000;
    return Promise.resolve();
  };
  return { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep };
}

function context(): StepContext {
  return {
    writer: client('lisbon'),
    reader: client('porto'),
    expected: join(directory, 'expected'),
    clock: hurriedClock(),
    signal: new AbortController().signal,
    checkAlive: () => Promise.resolve(),
    waiting: () => undefined,
  };
}

it('is identical where both folders are what the change should have made of them, with the numbers of this step', async () => {
  events.push(synced(5));
  writeFileSync(join(directory, 'expected/file'), 'content');
  // A whole second: copying keeps no more of a time than that for certain.
  utimesSync(join(directory, 'expected/file'), 1_700_000_000, 1_700_000_000);
  const parts = context();
  const step = await runStep('a file comes', parts, () => {
    for (const { folder } of [parts.writer, parts.reader]) {
      cpSync(parts.expected, folder, { recursive: true, preserveTimestamps: true });
    }
    events.push(synced(7));
    return Promise.resolve();
  });
  expect(step).toMatchObject({
    title: 'a file comes',
    identical: true,
    tree: { files: 1, directories: 0, symlinks: 0, bytes: 7 },
    writer: { itemsCommitted: 2 },
    differences: [],
  });
});

it('is not identical where both folders have lost the same', async () => {
  writeFileSync(join(directory, 'expected/lost'), 'content');
  const step = await runStep('a file is lost', context(), () => {
    events.push(synced(1));
    return Promise.resolve();
  });
  expect(step.identical).toBe(false);
  expect(step.differences.map(({ site, path, found }) => `${site} ${path} ${found}`)).toEqual([
    'lisbon lost nothing',
    'porto lost nothing',
  ]);
});

it('gives up when nothing happens', async () => {
  const parts = context();
  writeFileSync(join(parts.expected, 'file'), 'content');
  const step = await runStep('nothing happens', parts, () => Promise.resolve());
  expect(step.identical).toBe(false);
});
