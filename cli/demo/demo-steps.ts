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

/**
 * Moves the folder `tree` into the writer's, then edits, renames and deletes there, and proves after each step that the
 * reader's folder is identical. Ends after a step that failed.
 */
export async function playSteps(
  fleet: DemoFleet,
  programs: DemoPrograms,
  tree: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<PlayedSteps> {
  const { writer, reader } = programs;
  const snapshot = await takeSnapshot(tree, false, signal);
  const { files, bytes } = totalsOf(snapshot);
  const changes = [
    {
      title: `a folder of ${formatNumberOf(files, 'file')}, ${formatBytes(bytes)}, appears at ${writer.site}`,
      apply: (root: string) => moveContents(tree, root),
    },
    ...planEdits(snapshot),
  ];
  const steps: StepResult[] = [];
  let candidates: DemoCandidates | undefined;
  for (const { title, apply } of changes) {
    const context: StepContext = {
      writer,
      reader,
      clock: systemClock,
      signal,
      checkAlive: () => fleet.checkAlive(),
      waiting: (toText) => terminal.progress(toText),
    };
    const step = await runStep(title, context, () => apply(writer.folder));
    steps.push(step);
    terminal.say(formatStep(steps.length, step));
    if (!step.identical) break;
    if (candidates === undefined) {
      candidates = await readCandidates(programs, signal);
      terminal.say(formatCandidates(candidates));
    }
    terminal.say('');
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
