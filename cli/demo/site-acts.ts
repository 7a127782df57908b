import { rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SyncSummary } from '../../client/progress.js';
import type { Clock } from '../../common/clock.js';
import { DrystoneError } from '../../common/errors.js';
import type { DemoClient } from './demo-fleet.js';
import { compareTrees } from './tree-comparison.js';
import { takeSnapshot } from './tree-snapshot.js';
import type { WanLine } from './wan-line.js';

/** Somebody's folder that was filled: how long it took, and where its bytes came from. */
export interface JoinResult {
  readonly identical: boolean;
  readonly durationMs: number;
  readonly bytes: number;
  readonly bytesFromPeers: number;
  readonly bytesFromAgents: number;
}

/** A line that was cut and mended. */
export interface CutResult {
  /** How long after the cut a change of the writer was in the colleague's folder. */
  readonly arrivedAfterMs: number;
  /** Whether anything crossed the cut: it must not. */
  readonly crossed: boolean;
  /** How long after the line was mended all three folders were the same. */
  readonly healedAfterMs: number;
  /** Whether all three folders hold what both sides wrote during the cut, and nothing else is different. */
  readonly identical: boolean;
  readonly conflicts: number;
}

export interface ActContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A folder that nobody syncs: what all folders are to be like. */
  readonly expected: string;
  /** Raises an error where a program has ended by itself. */
  checkAlive(): Promise<void>;
}

const POLL_MS = 40;
/** Long enough for a client to find out that a line is down, and that it is up again, on a busy machine. */
const WITHIN_MS = 90_000;
/** The same in every folder, so that the files are. */
const WRITTEN_AT_S = 1_767_225_600;

/** Waits until the folder of one who has just joined is as expected. */
export async function watchJoining(
  colleague: DemoClient,
  startedAtMs: number,
  context: ActContext,
): Promise<JoinResult> {
  const identical = await untilAlike([colleague], context);
  const summary = (await colleague.program.waitFor('synced', context.signal)).summary as SyncSummary;
  return {
    identical,
    durationMs: Math.round(context.clock.monotonicMs() - startedAtMs),
    bytes: summary.bytesFetched,
    bytesFromPeers: summary.bytesFromSitePeers + summary.bytesFromRemotePeers,
    bytesFromAgents: summary.bytesFromSiteAgents + summary.bytesFromOtherAgents,
  };
}

/** Who takes part when the line is cut: two at the site that is cut off, one elsewhere. */
export interface CutCast {
  readonly line: WanLine;
  readonly writer: DemoClient;
  readonly colleague: DemoClient;
  readonly reader: DemoClient;
}

/**
 * Cuts the line of the writer's site, lets both sides write, sees the writer's change reach the colleague, mends the line,
 * and waits until all three folders hold what both sides wrote.
 */
export async function playCut({ line, writer, colleague, reader }: CutCast, context: ActContext): Promise<CutResult> {
  const { clock, signal, expected } = context;
  const here = `written in ${writer.site} during the cut.txt`;
  const there = `written in ${reader.site} meanwhile.txt`;
  const elapsedSince = (startedAtMs: number): number => Math.round(clock.monotonicMs() - startedAtMs);
  await line.cut();
  const cutAtMs = clock.monotonicMs();
  for (const folder of [writer.folder, expected]) await leaveNote(folder, here);
  const before = await takeSnapshot(expected, true, signal);
  const arrived = await untilTrue(
    context,
    async () => compareTrees(before, await snapshotOf(colleague, signal)).length === 0,
  );
  const arrivedAfterMs = elapsedSince(cutAtMs);
  for (const folder of [reader.folder, expected]) await leaveNote(folder, there);
  const crossed = (await snapshotOf(reader, signal)).has(here) || (await snapshotOf(writer, signal)).has(there);
  await line.mend();
  const mendedAtMs = clock.monotonicMs();
  const identical = await untilAlike([writer, colleague, reader], context);
  const conflicts = await sumOf([writer, colleague, reader], ({ conflicts: count }) => count);
  return {
    arrivedAfterMs,
    crossed,
    healedAfterMs: elapsedSince(mendedAtMs),
    identical: arrived && identical,
    conflicts,
  };
}

async function leaveNote(folder: string, name: string): Promise<void> {
  const temporary = `${folder}.note`;
  await writeFile(temporary, `${name}\n`);
  await utimes(temporary, WRITTEN_AT_S, WRITTEN_AT_S);
  await rename(temporary, join(folder, name));
}

async function untilAlike(clients: readonly DemoClient[], context: ActContext): Promise<boolean> {
  const wanted = await takeSnapshot(context.expected, true, context.signal);
  return untilTrue(context, async () => {
    for (const client of clients) {
      if (compareTrees(wanted, await snapshotOf(client, context.signal)).length > 0) return false;
    }
    return true;
  });
}

function snapshotOf({ folder }: DemoClient, signal: AbortSignal): ReturnType<typeof takeSnapshot> {
  return takeSnapshot(folder, true, signal);
}

/** Whether `probe` says yes in time. */
async function untilTrue(context: ActContext, probe: () => Promise<boolean>): Promise<boolean> {
  const { clock, signal } = context;
  const startedAtMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedAtMs < WITHIN_MS) {
    await context.checkAlive();
    if (await probe()) return true;
    await clock.sleep(POLL_MS, signal);
  }
  return false;
}

async function sumOf(clients: readonly DemoClient[], count: (summary: SyncSummary) => number): Promise<number> {
  let sum = 0;
  for (const { program } of clients) {
    const last = (await program.events()).findLast(({ event }) => event === 'synced');
    if (last === undefined) throw new DrystoneError('INTERNAL', 'INTERNAL', `${program.name} has said nothing`);
    sum += count(last.summary as SyncSummary);
  }
  return sum;
}
