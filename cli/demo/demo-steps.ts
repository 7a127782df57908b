import { systemClock } from '../../common/clock.js';
import type { FeedEntry } from '../../common/feed/item.js';
import { formatBytes } from '../../common/format-bytes.js';
import { parseNamespaceName } from '../../common/ids.js';
import { listItems } from '../../client/reader.js';
import { withFleet } from '../fleet/fleet-connection.js';
import type { Terminal } from '../output/terminal.js';
import { formatNumberOf } from '../output/units.js';
import { createProgramContext } from '../program-context.js';
import { compareCandidates, type CandidateComparison } from './candidates.js';
import { NAMESPACE, type DemoFleet } from './demo-fleet.js';
import { formatCandidates, formatStep, formatStranger, type DemoCandidates, type StepResult } from './demo-report.js';
import { runStep, type StepContext } from './demo-step.js';
import { moveContents } from './demo-tree.js';
import { planEdits } from './edits.js';
import type { DemoPrograms } from './start-programs.js';
import { STRANGER, tryAsStranger, type StrangerResult } from './stranger.js';
import { totalsOf } from './tree-comparison.js';
import { takeSnapshot } from './tree-snapshot.js';

/** What the steps showed. */
export interface PlayedSteps {
  readonly steps: readonly StepResult[];
  readonly candidates: DemoCandidates | undefined;
  /** Undefined where there was no block to be had, or it did not come so far. */
  readonly stranger: StrangerResult | undefined;
}

/** Two copies of what is synced. */
export interface DemoTrees {
  /** Is moved into the writer's folder. */
  readonly tree: string;
  /** Is changed in the same way, by nobody else: what both folders are compared with. */
  readonly expected: string;
}

/**
 * Moves a folder into the writer's, then edits, renames and deletes there, and proves after each step that both folders
 * are what that should have made of them. Ends after a step that failed. Tries in between what somebody gets who is no
 * member.
 */
export async function playSteps(
  fleet: DemoFleet,
  programs: DemoPrograms,
  { tree, expected }: DemoTrees,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<PlayedSteps> {
  const { writer, reader } = programs;
  const context: StepContext = {
    writer,
    reader,
    expected,
    clock: systemClock,
    signal,
    checkAlive: () => fleet.checkAlive(),
    waiting: (toText) => terminal.progress(toText),
  };
  const steps: StepResult[] = [];
  const play = async (title: string, change: () => Promise<void>): Promise<boolean> => {
    const step = await runStep(title, context, change);
    steps.push(step);
    terminal.say(formatStep(steps.length, step));
    return step.identical;
  };
  const snapshot = await takeSnapshot(tree, false, signal);
  const { files, bytes } = totalsOf(snapshot);
  const arrival = `a folder of ${formatNumberOf(files, 'file')}, ${formatBytes(bytes)}, appears at ${writer.site}`;
  if (!(await play(arrival, () => moveContents(tree, writer.folder)))) {
    return { steps, candidates: undefined, stranger: undefined };
  }
  const comparison = await readCandidates(programs, signal);
  const candidates = describeCandidates(comparison);
  terminal.say(formatCandidates(candidates));
  const stranger = await letStrangerTry(fleet, programs, comparison, signal);
  terminal.say(stranger === undefined ? '' : `${formatStranger(stranger)}\n`);
  for (const { title, apply } of planEdits(snapshot)) {
    await apply(expected);
    const isIdentical = await play(title, () => apply(writer.folder));
    terminal.say('');
    if (!isIdentical) break;
  }
  return { steps, candidates, stranger };
}

/** Which agent lacks how many of the blocks that the namespace now consists of, as its owner is told. */
async function readCandidates(
  { metadata: { address: metadata }, writer: { homeDir }, namespaceId }: DemoPrograms,
  signal: AbortSignal,
): Promise<CandidateComparison> {
  const config = { namespace: parseNamespaceName('namespace', NAMESPACE), metadata, premises: undefined, homeDir };
  const entries: FeedEntry[] = [];
  for await (const entry of listItems(config, createProgramContext('demo', 'silent'), '')) entries.push(entry);
  return withFleet({ metadata, home: homeDir }, (calls) => compareCandidates(calls, namespaceId, entries, signal));
}

function describeCandidates({ hashes, candidates }: CandidateComparison): DemoCandidates {
  const agents = candidates.map(({ candidate: { premises }, missing }) => ({ premises, missing }));
  return { blocks: hashes.length, agents };
}

/** Lets a device that is no member ask for a block that is there. */
async function letStrangerTry(
  fleet: DemoFleet,
  { metadata: { address: metadata }, writer, namespaceId }: DemoPrograms,
  { hashes: [hash], candidates: [holder] }: CandidateComparison,
  signal: AbortSignal,
): Promise<StrangerResult | undefined> {
  if (hash === undefined || holder === undefined) return undefined;
  const loot = { metadata, namespaceId, agent: holder.candidate, hash, memberHome: writer.homeDir };
  return tryAsStranger(fleet.homeOf(STRANGER), loot, systemClock, signal);
}
