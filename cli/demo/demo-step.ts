import type { SyncProgress, SyncCounts, SyncSummary } from '../../client/progress.js';
import type { Clock } from '../../common/clock.js';
import { formatProgress, NOTHING_DONE } from '../output/sync-text.js';
import type { ChildEvent, ChildProgram } from './child-program.js';
import type { Site } from './demo-fleet.js';
import type { FolderDifference, StepResult } from './demo-report.js';
import { compareTrees, totalsOf } from './tree-comparison.js';
import { takeSnapshot } from './tree-snapshot.js';

/** A client, as far as a step looks at it. */
export interface StepClient {
  readonly site: Site;
  readonly folder: string;
  readonly program: Pick<ChildProgram, 'events'>;
}

/** What a step needs of the demo round it. */
export interface StepContext {
  readonly writer: StepClient;
  readonly reader: StepClient;
  /** A folder that nobody syncs: what both clients' folders are to be like after the change. */
  readonly expected: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Raises an error where a program has ended by itself. */
  checkAlive(): Promise<void>;
  /** Told now and then what is being waited for, as a text of so many columns. */
  waiting(toText: (columns: number) => string): void;
}

const POLL_MS = 40;
/** A step has failed when for this long neither client has said anything and the folders still differ. */
const STALLED_AFTER_MS = 45_000;

/**
 * Does `change` at the writer's side, waits until both clients say that they are done and both folders look as expected,
 * and then compares them byte by byte with what is expected.
 */
export async function runStep(title: string, context: StepContext, change: () => Promise<void>): Promise<StepResult> {
  const { writer, reader, clock, signal } = context;
  const before = await readProgress(context);
  await change();
  const startedAtMs = clock.monotonicMs();
  await untilSame(context, before);
  const durationMs = Math.round(clock.monotonicMs() - startedAtMs);
  const after = await readProgress(context);
  const expected = await takeSnapshot(context.expected, true, signal);
  const differences: FolderDifference[] = [];
  for (const { site, folder } of [writer, reader]) {
    const found = compareTrees(expected, await takeSnapshot(folder, true, signal));
    differences.push(...found.map((difference) => ({ site, ...difference })));
  }
  return {
    title,
    identical: differences.length === 0,
    durationMs,
    tree: totalsOf(expected),
    writer: difference(before.writer.summary, after.writer.summary),
    reader: difference(before.reader.summary, after.reader.summary),
    differences,
  };
}

/** How far a client has come, by its events. */
interface ClientProgress {
  readonly eventCount: number;
  readonly syncedCount: number;
  /** Whether its last word was that both sides are equal. */
  readonly isQuiet: boolean;
  readonly summary: SyncSummary;
  /** How far it said last that it has come. */
  readonly last: SyncProgress | undefined;
}

interface Progress {
  readonly writer: ClientProgress;
  readonly reader: ClientProgress;
}

async function readProgress({ writer, reader }: StepContext): Promise<Progress> {
  return {
    writer: progressOf(await writer.program.events()),
    reader: progressOf(await reader.program.events()),
  };
}

function progressOf(events: readonly ChildEvent[]): ClientProgress {
  const synced = events.filter(({ event }) => event === 'synced');
  const last = synced.at(-1);
  return {
    eventCount: events.length,
    syncedCount: synced.length,
    isQuiet: last !== undefined && last === events.at(-1),
    summary: last === undefined ? NOTHING_DONE : (last.summary as SyncSummary),
    last: events.findLast(({ event }) => event === 'progress') as SyncProgress | undefined,
  };
}

/** Resolves when both clients are done and the folders look as expected, or when nothing has happened for too long. */
async function untilSame(context: StepContext, before: Progress): Promise<void> {
  const { clock, signal } = context;
  let seen = '';
  let seenAtMs = clock.monotonicMs();
  for (;;) {
    await context.checkAlive();
    const now = await readProgress(context);
    // Looking at the folders costs the clients time, so it waits until they say that they are done.
    const areDone = isDone(before.writer, now.writer) && isDone(before.reader, now.reader);
    if (areDone && (await lookAsExpected(context))) return;
    const state = `${now.writer.eventCount} ${now.reader.eventCount}`;
    if (state !== seen) {
      seen = state;
      seenAtMs = clock.monotonicMs();
    } else if (clock.monotonicMs() - seenAtMs > STALLED_AFTER_MS) {
      return;
    }
    context.waiting((columns) => describeWaiting(context, now, columns));
    await clock.sleep(POLL_MS, signal);
  }
}

async function lookAsExpected({ expected, writer, reader, signal }: StepContext): Promise<boolean> {
  const wanted = await takeSnapshot(expected, false, signal);
  for (const { folder } of [writer, reader]) {
    if (compareTrees(wanted, await takeSnapshot(folder, false, signal)).length > 0) return false;
  }
  return true;
}

function describeWaiting({ writer, reader }: StepContext, now: Progress, columns: number): string {
  const half = Math.floor(columns / 2) - 10;
  const describe = ({ site }: StepClient, { last }: ClientProgress): string => {
    return `${site}: ${last === undefined ? 'starting' : formatProgress(last, 0, half)}`;
  };
  return `${describe(writer, now.writer)}  ${describe(reader, now.reader)}`.slice(0, columns);
}

function isDone(before: ClientProgress, now: ClientProgress): boolean {
  return now.isQuiet && now.syncedCount > before.syncedCount;
}

function difference(before: SyncSummary, after: SyncSummary): SyncSummary {
  const { mode, itemsProvisional, ...counts } = after;
  const entries = Object.entries(counts) as [keyof SyncCounts, number][];
  const differences = entries.map(([key, value]) => [key, value - before[key]]);
  return { ...(Object.fromEntries(differences) as Record<keyof SyncCounts, number>), mode, itemsProvisional };
}
