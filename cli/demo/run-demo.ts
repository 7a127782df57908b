import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../common/clock.js';
import { DrystoneError, toDrystoneError } from '../../common/errors.js';
import type { Terminal } from '../output/terminal.js';
import { formatDuration, formatNumberOf } from '../output/units.js';
import type { Environment } from '../settings/config.js';
import { DemoFleet, type DemoClient } from './demo-fleet.js';
import {
  formatCut,
  formatJoined,
  formatMetrics,
  formatPeople,
  formatPrograms,
  isHealed,
  isRefused,
  type DemoReport,
  type MetricsResult,
} from './demo-report.js';
import { playSteps } from './demo-steps.js';
import { prepareTree } from './demo-tree.js';
import { howToLookAround } from './look-around.js';
import { scrape } from './scrape.js';
import { playCut, watchJoining, type CutResult, type JoinResult } from './site-acts.js';
import { describePrograms, startColleague, startPrograms, type DemoPrograms } from './start-programs.js';

export interface DemoOptions {
  /** A folder to copy and sync; a sample is made where there is none. */
  readonly source: string | undefined;
  /** Leave everything running at the end. */
  readonly keep: boolean;
  readonly environment: Environment;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/**
 * Plays the demo: starts a fleet, syncs a folder, changes it, and proves after every step that both sites hold the same.
 * Afterwards everything is ended and removed, unless it is to be kept. Where something went wrong the programs are ended
 * and the files stay; an error says where the logs are.
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { environment, terminal, signal } = options;
  const directory = await mkdtemp(join(tmpdir(), 'drystone-demo-'));
  const fleet = new DemoFleet({ directory, environment, clock: systemClock, signal });
  try {
    const report = await play(fleet, directory, options);
    if (report.kept) {
      fleet.leaveRunning();
      return report;
    }
    await fleet.stop();
    if (report.succeeded) await rm(directory, { recursive: true });
    else terminal.note(`everything has been stopped; the logs are in ${fleet.logDirectory}`);
    return report;
  } catch (thrown) {
    await fleet.stop();
    const error = toDrystoneError(thrown);
    if (error.code !== 'CANCELLED' && error.code !== 'INVALID_ARGUMENT') throw withLogs(error, fleet.logDirectory);
    await rm(directory, { recursive: true });
    throw error;
  }
}

async function play(fleet: DemoFleet, directory: string, options: DemoOptions): Promise<DemoReport> {
  const { source, keep, terminal, signal } = options;
  const startedAtMs = systemClock.monotonicMs();
  terminal.progress(() => 'making the folder');
  const trees = { tree: join(directory, 'tree'), expected: join(directory, 'expected') };
  for (const copy of Object.values(trees)) await prepareTree(source, copy);
  terminal.say('Drystone demo: one folder at two sites\n');
  terminal.progress(() => 'starting the programs');
  const programs = await startPrograms(fleet, directory, systemClock, signal);
  terminal.say(`${formatPrograms(describePrograms(programs))}\n\n${formatPeople()}\n`);
  const { steps, candidates, stranger } = await playSteps(fleet, programs, trees, terminal, signal);
  const identical = steps.every((step) => step.identical);
  const { colleague, ...acts } = identical
    ? await playActs(fleet, programs, { ...trees, directory, number: steps.length }, options)
    : { joined: undefined, cut: undefined, colleague: undefined };
  const metrics: MetricsResult[] = [];
  for (const server of [programs.metadata, ...programs.agents]) metrics.push(await scrape(server, signal));
  terminal.say(`${formatMetrics(metrics)}\n`);
  const isUp = metrics.every(({ status }) => status === 200);
  const wentWell = acts.joined?.identical === true && acts.cut !== undefined && isHealed(acts.cut);
  const succeeded = wentWell && isUp && (stranger === undefined || isRefused(stranger));
  const kept = keep && succeeded;
  if (kept) terminal.say(`${howToLookAround(directory, programs, fleet.pids)}\n`);
  if (succeeded) {
    const took = formatDuration(systemClock.monotonicMs() - startedAtMs);
    terminal.say(
      `${formatNumberOf(steps.length + Object.keys(acts).length, 'step')}, identical after each of them, in ${took}`,
    );
  }
  return {
    identical,
    succeeded,
    directory,
    programs: describePrograms(programs, colleague),
    steps,
    candidates,
    stranger,
    ...acts,
    metrics,
    kept,
  };
}

interface Acts {
  readonly colleague: DemoClient | undefined;
  readonly joined: JoinResult | undefined;
  readonly cut: CutResult | undefined;
}

/** One more person joins; then the line of her site is cut, and mended. */
async function playActs(
  fleet: DemoFleet,
  programs: DemoPrograms,
  { directory, expected, number }: { readonly directory: string; readonly expected: string; readonly number: number },
  { terminal, signal }: DemoOptions,
): Promise<Acts> {
  const context = { clock: systemClock, signal, expected, checkAlive: () => fleet.checkAlive() };
  const startedAtMs = systemClock.monotonicMs();
  const colleague = await startColleague(fleet, programs, directory);
  terminal.progress(() => `${colleague.person} joins`);
  const joined = await watchJoining(colleague, startedAtMs, context);
  terminal.say(`${formatJoined(number + 1, joined)}\n`);
  if (!joined.identical) return { colleague, joined, cut: undefined };
  terminal.progress(() => `the line of ${colleague.site} is cut`);
  const cut = await playCut({ ...programs, colleague }, context);
  terminal.say(`${formatCut(number + 2, cut)}\n`);
  return { colleague, joined, cut };
}

function withLogs(error: DrystoneError, logDirectory: string): DrystoneError {
  const details = { ...error.details, facts: { ...error.details.facts, logs: logDirectory } };
  const message = `${error.message}; the logs are in ${logDirectory}`;
  return new DrystoneError(error.code, error.reason, message, details, { cause: error });
}
