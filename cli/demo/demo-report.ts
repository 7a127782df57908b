import type { SyncSummary } from '../../client/progress.js';
import { formatBytes } from '../../common/format-bytes.js';
import { formatPairs, formatTable, printable } from '../output/table.js';
import { formatCount, formatDuration, formatNumberOf } from '../output/units.js';
import { COLLEAGUE, PEOPLE, SITES, type Site } from './demo-fleet.js';
import type { CutResult, JoinResult } from './site-acts.js';
import { STRANGER, type StrangerResult } from './stranger.js';
import type { TreeDifference, TreeTotals } from './tree-comparison.js';

/** What the demo shows: the document under `--json`. */
export interface DemoReport {
  /** Whether the folders were identical after every step. */
  readonly identical: boolean;
  /** Whether that and everything else went as it should. */
  readonly succeeded: boolean;
  readonly directory: string;
  readonly programs: readonly DemoProgram[];
  readonly steps: readonly StepResult[];
  readonly candidates: DemoCandidates | undefined;
  /** What somebody got who is in the fleet, but no member. */
  readonly stranger: StrangerResult | undefined;
  /** How one more folder was filled; undefined where it did not come so far, as `cut` is. */
  readonly joined: JoinResult | undefined;
  readonly cut: CutResult | undefined;
  readonly metrics: readonly MetricsResult[];
  /** Whether everything was left running. */
  readonly kept: boolean;
}

/** A process of the demo. */
export interface DemoProgram {
  readonly name: string;
  readonly pid: number;
  /** HOST:PORT of a server. */
  readonly address?: string;
  readonly metrics?: string;
  /** The folder of a client. */
  readonly folder?: string;
}

/** One step and its proof. */
export interface StepResult {
  readonly title: string;
  readonly identical: boolean;
  /** From the end of the change until both folders were the same and both clients had nothing left to do. */
  readonly durationMs: number;
  readonly tree: TreeTotals;
  /** What the client did in this step where the change was made, and where it arrived. */
  readonly writer: SyncSummary;
  readonly reader: SyncSummary;
  readonly differences: readonly FolderDifference[];
}

/** Where one of the two folders is not as the changes should have left it. */
export interface FolderDifference extends TreeDifference {
  readonly site: Site;
}

/** How much each candidate lacks of the folder's blocks. */
export interface DemoCandidates {
  readonly blocks: number;
  readonly agents: readonly { readonly premises: string; readonly missing: number }[];
}

/** A scrape that was tried. */
export interface MetricsResult {
  readonly program: string;
  readonly url: string;
  readonly status: number;
  /** How many samples it answered. */
  readonly samples: number;
}

const INDENT = '     ';
const DIFFERENCES_SHOWN = 10;

/** The programs as a table. */
export function formatPrograms(programs: readonly DemoProgram[]): string {
  const columns = [
    { heading: 'program' },
    { heading: 'pid', align: 'right' },
    { heading: 'at' },
    { heading: 'metrics' },
  ] as const;
  const rows = programs.map(({ name, pid, address, folder, metrics }) => {
    return [name, String(pid), address ?? folder ?? '', metrics ?? ''];
  });
  return formatTable(columns, rows);
}

/** A step, its numbers and its proof. */
export function formatStep(number: number, step: StepResult): string {
  const { files, directories, symlinks, bytes } = step.tree;
  const counts =
    `${formatNumberOf(files, 'file')}, ${formatNumberOf(directories, 'directory', 'directories')}, ` +
    `${formatNumberOf(symlinks, 'symlink')}, ${formatBytes(bytes)}`;
  const proof = step.identical
    ? `identical after ${formatDuration(step.durationMs)} (${counts}, compared byte by byte)`
    : `DIFFERENT at ${formatNumberOf(step.differences.length, 'path')}`;
  const lines = formatPairs([
    [
      'asked',
      `${formatNumberOf(step.writer.blocksAsked, 'block')}, ${formatCount(step.writer.blocksMissing)} of them missing`,
    ],
    [
      'sent',
      `${formatNumberOf(step.writer.blocksUploaded, 'block')}, ${formatBytes(step.writer.bytesUploaded)}; ${formatBytes(step.writer.bytesSaved)} saved`,
    ],
    [
      'fetched',
      `${formatNumberOf(step.reader.blocksFetched, 'block')}, ${formatBytes(step.reader.bytesFetched)}; ${formatBytes(step.reader.bytesFromLocal)} found on its own disk`,
    ],
    [step.identical ? 'proof' : 'FAILED', proof],
  ]);
  const shown = step.differences.slice(0, DIFFERENCES_SHOWN).map(formatDifference);
  const more = step.differences.length - shown.length;
  if (more > 0) shown.push(`… and ${formatNumberOf(more, 'more path', 'more paths')}`);
  return [`  ${number}  ${printable(step.title)}`, ...indent([...lines.split('\n'), ...shown])].join('\n');
}

/** Which agent lacks how much. */
export function formatCandidates({ blocks, agents }: DemoCandidates): string {
  const lacks = agents.map(({ premises, missing }) => `${premises} lacks ${formatCount(missing)}`).join(', ');
  return `${INDENT}of the folder's ${formatNumberOf(blocks, 'block')} ${lacks}: a client takes the agent that lacks least`;
}

/** Who works where. */
export function formatPeople(): string {
  const [first, second] = SITES;
  return `${PEOPLE[first]}, who owns the namespace, works at ${first}, ${PEOPLE[second]}, an editor, at ${second}; mutual TLS everywhere`;
}

/** Whether the stranger was refused, as it should. */
export function isRefused({ accessRefused, blockRefused }: StrangerResult): boolean {
  return accessRefused !== undefined && blockRefused !== undefined;
}

/** What the stranger got. */
export function formatStranger({ askedAt, accessRefused, blockRefused }: StrangerResult): string {
  const access =
    accessRefused === undefined ? 'metadata GIVES her access' : `metadata gives no access (${accessRefused})`;
  const agent = `the agent at ${askedAt}`;
  const block =
    blockRefused === undefined
      ? `${agent} GIVES IT`
      : `${agent}, shown a stolen token, gives nothing (${blockRefused})`;
  const lines = [
    `${STRANGER}, whose device is in the fleet but no member, knows the hash of one of them:`,
    `${access}, ${block}`,
  ];
  return indent(lines).join('\n');
}

/** How the colleague's folder was filled. */
export function formatJoined(number: number, joined: JoinResult): string {
  const [site] = SITES;
  const { bytes, bytesFromPeers, bytesFromAgents, identical, durationMs } = joined;
  const lines = formatPairs([
    [
      'fetched',
      `${formatBytes(bytes)}: ${formatBytes(bytesFromPeers)} from peers, ${formatBytes(bytesFromAgents)} from agents`,
    ],
    [
      identical ? 'proof' : 'FAILED',
      identical ? `identical after ${formatDuration(durationMs)}` : 'her folder is DIFFERENT',
    ],
  ]);
  const title = `${COLLEAGUE} joins at ${site}: her folder fills from the machines around her`;
  return [`  ${number}  ${title}`, ...indent(lines.split('\n'))].join('\n');
}

/** What happened while the line was cut. */
export function formatCut(number: number, cut: CutResult): string {
  const [site, other] = SITES;
  const { arrivedAfterMs, crossed, healedAfterMs, identical, conflicts } = cut;
  const lines = formatPairs([
    [
      'cut off',
      `what ${PEOPLE[site]} wrote was in ${COLLEAGUE}'s folder ${formatDuration(arrivedAfterMs)} after the cut`,
    ],
    [
      'elsewhere',
      crossed ? 'SOMETHING CROSSED THE CUT' : `${PEOPLE[other]} went on in ${other}; neither side heard of the other`,
    ],
    [
      isHealed(cut) ? 'proof' : 'FAILED',
      identical
        ? `all three identical ${formatDuration(healedAfterMs)} after the line was mended, ${formatNumberOf(conflicts, 'conflict')}`
        : 'the three folders are DIFFERENT',
    ],
  ]);
  return [`  ${number}  the line of ${site} is cut, and mended`, ...indent(lines.split('\n'))].join('\n');
}

/** Whether the cut went as it should. */
export function isHealed({ identical, crossed, conflicts }: CutResult): boolean {
  return identical && !crossed && conflicts === 0;
}

/** What the scrapes answered. */
export function formatMetrics(metrics: readonly MetricsResult[]): string {
  return formatPairs(
    metrics.map(({ program, url, status, samples }) => [
      `  ${program}`,
      status === 200 ? `${url} answers with ${formatNumberOf(samples, 'sample')}` : `${url} ANSWERS ${status}`,
    ]),
  );
}

function formatDifference({ site, path, expected, found }: FolderDifference): string {
  return `${site}: ${JSON.stringify(path)} should be ${expected}, is ${found}`;
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `${INDENT}${line}`);
}
