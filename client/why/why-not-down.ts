import type { Item } from '../../common/feed/item.js';
import { coversAll } from '../../common/feed/version.js';
import { live, type LiveItem } from '../plan/difference.js';
import type { AnsweredFacts, Facts, SyncedFacts } from './facts.js';
import { found, type Finding } from './finding.js';

/** Why what the namespace has is not in the folder; undefined where it is. */
export function whyNotDown(facts: Facts, folder: SyncedFacts): Finding | undefined {
  const { path, service } = facts;
  const item = service.state === 'answered' ? service.item : folder.remote;
  if (item === undefined || isAgreed(folder, item)) return undefined;
  const coming = live(item);
  return (
    notHeard(facts, folder, item) ??
    (coming === undefined ? undefined : notTaken(path, folder, coming)) ??
    notAllowed(path, folder) ??
    notSyncing(facts, folder) ??
    (service.state === 'answered' ? withoutBlocks(facts, service) : undefined) ??
    (coming === undefined ? undefined : withoutRoom(path, folder, coming)) ??
    (service.state === 'answered' ? underway(path) : unreachable(path))
  );
}

/** Whether one has heard of what the other says. */
export function hasHeard(known: Item | undefined, item: Item): boolean {
  return known !== undefined && coversAll(known.version, item.version);
}

/** Whether the folder is as the namespace says. */
function isAgreed({ synced, way }: SyncedFacts, item: Item): boolean {
  if (live(item) !== undefined) return hasHeard(synced, item);
  return way.outcome !== 'seen' || way.standing === undefined || live(synced) === undefined;
}

function notHeard({ namespace, path, service }: Facts, folder: SyncedFacts, item: Item): Finding | undefined {
  if (service.state !== 'answered' || hasHeard(folder.remote, item)) return undefined;
  const behind = Math.max(1, service.end - folder.cursor);
  const what = live(item) === undefined ? 'was deleted' : 'has changed';
  const change = `${path} ${what} in ${namespace}, of whose changes this folder has not heard the last ${behind}`;
  if (folder.syncedBy === undefined) {
    return found('not-syncing', `${change}, since no sync of it runs.`, runSync(namespace, folder));
  }
  return found(
    'not-heard',
    `${change}.`,
    "Wait a moment; if it stays so, see what the sync reports, and 'drystone status'.",
  );
}

/** What this disk does not take. */
function notTaken(path: string, folder: SyncedFacts, item: LiveItem): Finding | undefined {
  if (folder.nameProblem !== undefined) {
    const sentence = `The file system here does not take the name of ${path}: ${folder.nameProblem}.`;
    return found('name-refused', sentence, 'Rename it where it was made, or sync to another file system.');
  }
  if (folder.diskTwin !== undefined) {
    const sentence = `The file system here cannot tell ${path} from ${folder.diskTwin}, which is there already.`;
    return found('case-twin', sentence, 'Rename one of them.');
  }
  const problem = folder.problems.find(({ name }) => name === item.path)?.problem;
  if (problem === undefined) return undefined;
  return found('unsyncable', `${path} cannot be synced as it is here: ${problem}.`, 'Move away what is in its place.');
}

/** What the directory of the path does not allow. */
function notAllowed(path: string, { denied }: SyncedFacts): Finding | undefined {
  if (denied.writing === undefined) return undefined;
  const sentence = `This folder has heard of ${path}, and may not change the directory that it lies in: ${denied.writing}.`;
  return found('unsyncable', sentence, 'Change the permissions of that directory; the sync tries again by itself.');
}

function notSyncing({ namespace, path }: Facts, folder: SyncedFacts): Finding | undefined {
  if (folder.syncedBy !== undefined) return undefined;
  const sentence = `This folder has heard of ${path}, and has not brought it here, since no sync of it runs.`;
  return found('not-syncing', sentence, runSync(namespace, folder));
}

function withoutBlocks({ namespace, path }: Facts, { blocks, agents }: AnsweredFacts): Finding | undefined {
  if (blocks.nowhere > 0) {
    const others = blocks.peers === 0 ? '' : ` (${blocks.peers} other endpoints may)`;
    const sentence = `No agent that holds ${namespace} has ${blocks.nowhere} of the ${blocks.count} blocks of ${path}${others}.`;
    return found(
      'blocks-missing',
      sentence,
      'Touch the file in a synced folder that still has it: what is missing is sent with it.',
    );
  }
  if (blocks.offline > 0) {
    const where = agents.filter(({ state, held }) => state === 'offline' && held > 0).map(({ premises }) => premises);
    const sentence = `${blocks.offline} of the ${blocks.count} blocks of ${path} are at ${where.join(', ')} alone, whose agent is offline.`;
    return found('agents-offline', sentence, "Start that agent, or repair its line; see 'drystone agent list'.");
  }
  return undefined;
}

function withoutRoom(path: string, { freeBytes }: SyncedFacts, { content }: LiveItem): Finding | undefined {
  if (content.kind !== 'file' || content.sizeBytes < freeBytes) return undefined;
  const sentence = `The disk of this folder has ${freeBytes} bytes free, and ${path} needs ${content.sizeBytes}.`;
  return found('disk-full', sentence, 'Make room; the sync tries again by itself.');
}

function unreachable(path: string): Finding {
  const sentence = `This folder has heard of ${path}, and metadata cannot be reached to say who has its content.`;
  return found(
    'metadata-unreachable',
    sentence,
    "It comes when metadata, or an agent of this site, answers; see 'drystone status'.",
  );
}

function underway(path: string): Finding {
  return found('underway', `${path} is on its way to this folder.`, 'Wait for the sync to say that it is quiet.');
}

function runSync(namespace: string, { root }: SyncedFacts): string {
  return `Run 'drystone sync ${root} --namespace ${namespace}'.`;
}
