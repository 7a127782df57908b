import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { NOTHING_DONE } from '../../../cli/output/sync-text.js';
import { Terminal } from '../../../cli/output/terminal.js';
import { SyncReporter } from '../../../cli/sync-reporter.js';
import type { SyncProgress } from '../../../client/progress.js';
import type { Clock } from '../../../common/clock.js';

function reporting(json: boolean) {
  const output = new PassThrough();
  const errors = new PassThrough();
  let nowMs = 5000;
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => (nowMs += 500), sleep: () => Promise.reject(new Error()) };
  const reporter = new SyncReporter(new Terminal(output, errors, json), clock);
  const lines = (stream: PassThrough): string[] =>
    String(stream.read() ?? '')
      .split('\n')
      .slice(0, -1);
  return { reporter, output: () => lines(output), errors: () => lines(errors) };
}

const quiet: SyncProgress = {
  phase: 'quiet',
  mode: 'online',
  itemsDone: 0,
  itemsTotal: 0,
  bytesDone: 0,
  bytesTotal: 0,
  itemsProvisional: 0,
};
const one = { ...NOTHING_DONE, itemsCommitted: 1, bytesUploaded: 10 };
const two = { ...one, itemsCommitted: 2, bytesUploaded: 30 };

describe('SyncReporter', () => {
  it('says under --json whatever the client reports, and all that was done whenever both sides are equal', () => {
    const { reporter, output } = reporting(true);
    let summary = NOTHING_DONE;
    reporter.started(() => summary);
    reporter.progress({ ...quiet, phase: 'scanning' });
    reporter.problem({ name: 'a\nb', problem: 'too odd' });
    summary = one;
    reporter.progress(quiet);
    reporter.conflict({ path: 'x', keptAs: 'y', isOwn: true });
    reporter.waiting('metadata is away', 250);
    summary = two;
    reporter.progress(quiet);
    reporter.finished(two);
    expect(output().map((line) => JSON.parse(line) as unknown)).toEqual([
      { event: 'progress', ...quiet, phase: 'scanning' },
      { event: 'problem', name: 'a\nb', problem: 'too odd', isSynced: false },
      { event: 'progress', ...quiet },
      { event: 'synced', summary: one },
      { event: 'conflict', path: 'x', keptAs: 'y', isOwn: true },
      { event: 'waiting', reason: 'metadata is away', retryInMs: 250 },
      { event: 'progress', ...quiet },
      { event: 'synced', summary: two },
      { event: 'finished', durationMs: 500, summary: two },
    ]);
  });

  it('says that both sides are equal even where that was so before the start had returned', () => {
    const { reporter, output } = reporting(true);
    reporter.progress(quiet);
    reporter.started(() => one);
    expect(output().map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['progress', 'synced']);
  });

  it('tells people what is new, and keeps what is wrong apart', () => {
    const { reporter, output, errors } = reporting(false);
    let summary = one;
    reporter.started(() => summary);
    reporter.progress(quiet);
    reporter.progress(quiet);
    reporter.problem({ name: 'a\nb', problem: 'too odd' });
    reporter.problem({ name: '.', problem: 'changes are watched again' });
    reporter.problem({ name: 'Name', problem: 'some cannot have both', isSynced: true });
    reporter.conflict({ path: 'x', keptAs: 'y', isOwn: true });
    reporter.conflict({ path: 'x', keptAs: 'z', isOwn: false });
    for (const retryInMs of [250, 500]) reporter.waiting('metadata is away', retryInMs);
    summary = two;
    reporter.progress(quiet);
    reporter.waiting('metadata is away', 250);
    expect(output()).toEqual(['up to date: 1 item committed (10 B sent)', 'up to date: 1 item committed (20 B sent)']);
    expect(errors()).toEqual([
      'left as it is: a\\nb: too odd',
      'changes are watched again',
      'synced all the same: Name: some cannot have both',
      'changed on both sides: x; what this device had made of it is kept as y',
      'changed on both sides: x; what another device had made of it is kept as z',
      'waiting: metadata is away; attempts go on',
      'waiting: metadata is away; attempts go on',
    ]);
  });
});
