import { systemClock } from '../../common/clock.js';
import type { FeedEntry } from '../../common/feed/item.js';
import { parseAccountName, parseNamespaceName } from '../../common/ids.js';
import { listItems } from '../../client/reader.js';
import { listAgents, withAdmin } from '../fleet/admin-client.js';
import type { Terminal } from '../output/terminal.js';
import { formatBytes, formatNumberOf } from '../output/units.js';
import { createProgramContext } from '../program-context.js';
import { compareCandidates } from './candidates.js';
import { NAMESPACE, type DemoFleet } from './demo-fleet.js';
import { formatCandidates, formatStep, type DemoCandidates, type StepResult } from './demo-report.js';
import { runStep, type StepContext } from './demo-step.js';
import { moveContents } from './demo-tree.js';
import { planEdits } from './edits.js';
import type { DemoPrograms } from './start-programs.js';
import { totalsOf } from './tree-comparison.js';
import { takeSnapshot } from './tree-snapshot.js';

/** What the steps showed. */
export interface PlayedSteps {
  readonly steps: readonly StepResult[];
  readonly candidates: DemoCandidates | undefined;
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
 * are what that should have made of them. Ends after a step that failed.
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
  if (!(await play(arrival, () => moveContents(tree, writer.folder)))) return { steps, candidates: undefined };
  const candidates = await readCandidates(programs, signal);
  terminal.say(`${formatCandidates(candidates)}\n`);
  for (const { title, apply } of planEdits(snapshot)) {
    await apply(expected);
    const isIdentical = await play(title, () => apply(writer.folder));
    terminal.say('');
    if (!isIdentical) break;
  }
  return { steps, candidates };
}

/** Which agent lacks how many of the blocks that the namespace now consists of. */
async function readCandidates(
  { metadata, reader, namespaceId }: DemoPrograms,
  signal: AbortSignal,
): Promise<DemoCandidates> {
  const config = {
    namespace: parseNamespaceName('namespace', NAMESPACE),
    account: parseAccountName('account', 'default'),
    metadata: metadata.address,
    premises: undefined,
    homeDir: reader.homeDir,
  };
  const entries: FeedEntry[] = [];
  for await (const entry of listItems(config, createProgramContext('demo', 'silent'), '')) entries.push(entry);
  const comparison = await compareCandidates(metadata.address, namespaceId, entries, signal);
  const agents = await withAdmin(metadata.address, (admin) => listAgents(admin, signal));
  const premises = new Map(agents.map((agent) => [agent.agentId, agent.premises]));
  const cheapestFirst = [...comparison.candidates].sort((a, b) => a.missing - b.missing);
  return {
    blocks: comparison.blocks,
    agents: cheapestFirst.map(({ agentId, missing }) => ({
      premises: premises.get(agentId) ?? agentId,
      missing,
    })),
  };
}
