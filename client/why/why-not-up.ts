import type { ItemContent } from '../../common/feed/item.js';
import { feedLimits } from '../../common/limits.js';
import { sameStamp } from '../observe/stable-file.js';
import type { Observation } from '../observe/observation.js';
import { live, localChange } from '../plan/difference.js';
import type { LocalEntry } from '../state/local-entry.js';
import type { AgentFacts, Facts, SyncedFacts } from './facts.js';
import { found, type Finding } from './finding.js';
import { hasHeard } from './why-not-down.js';

/** A file that has been as it is for longer, and is not read, waits for those before it to be sent. */
const JUST_WRITTEN_MS = 10_000;

/** What the folder has that was not agreed on with the namespace. */
type Outgoing =
  | 'nothing'
  | 'deletion' /** Not looked at since it changed. */
  | 'unseen' /** Seen, and not read since. */
  | 'unread'
  | 'change';

/** Why what is in the folder is not in the namespace; undefined where it is. */
export function whyNotUp(facts: Facts, folder: SyncedFacts): Finding | undefined {
  const outgoing = outgoingOf(folder);
  switch (outgoing) {
    case 'nothing':
      return undefined;
    case 'deletion':
      return deletion(facts, folder);
    case 'unseen':
    case 'unread':
    case 'change':
      return refusal(facts) ?? standstill(facts, folder, outgoing);
  }
}

function outgoingOf({ way, local, synced }: SyncedFacts): Outgoing {
  const standing = way.outcome === 'seen' ? way.standing : undefined;
  const agreed = live(synced);
  if (standing === undefined) return agreed === undefined ? 'nothing' : 'deletion';
  if (!isAs(local, standing)) return 'unseen';
  const change = localChange(local, agreed);
  if (change === 'unread') return 'unread';
  if (!change) return 'nothing';
  return local?.kind === 'file' && local.blocks === undefined ? 'unread' : 'change';
}

function isAs(local: LocalEntry | undefined, standing: Observation): boolean {
  switch (standing.kind) {
    case 'file':
      return local?.kind === 'file' && sameStamp(local.stamp, standing.stamp);
    case 'symlink':
      return local?.kind === 'symlink' && local.target === standing.target;
    case 'directory':
      return local?.kind === 'directory';
  }
}

/** It was deleted here; an edit that came meanwhile beats that. */
function deletion({ namespace, path, service }: Facts, { synced, syncedBy }: SyncedFacts): Finding | undefined {
  const item = service.state === 'answered' ? live(service.item) : undefined;
  if (service.state === 'answered' && (item === undefined || !hasHeard(synced, item))) return undefined;
  const advice = takenBack(namespace, path, synced?.content.kind);
  if (service.state === 'answered' && !service.mayWrite) {
    const sentence = `${path} was deleted in this folder, and stays in ${namespace}: your account may only read that.`;
    return found('reader', sentence, advice);
  }
  const when = syncedBy === undefined ? 'the next sync deletes' : 'the sync is about to delete';
  const sentence = `${path} was deleted in this folder, and ${when} it in ${namespace} too.`;
  return found('deleted-here', sentence, advice);
}

/** How to have again what was deleted in a folder, while the namespace has it. */
function takenBack(namespace: string, path: string, kind: ItemContent['kind'] | undefined): string {
  if (kind === 'file') return `To have it back: drystone cat ${namespace}/${path} > FILE`;
  return `To have it back, sync an empty directory with 'drystone sync DIR --namespace ${namespace} --once', and take it from there.`;
}

/** What the namespace would not take from this account or this machine. */
function refusal({ namespace, path, service }: Facts): Finding | undefined {
  if (service.state !== 'answered') return undefined;
  if (!service.mayWrite) {
    const sentence = `Your account may read ${namespace} and not change it, so ${path} as it is here stays in this folder.`;
    return found('reader', sentence, "Ask an owner for 'drystone namespace share' with the role editor.");
  }
  if (service.clockAheadMs > feedLimits.changeAheadMs) {
    const minutes = Math.round(service.clockAheadMs / 60_000);
    const sentence = `The clock of this machine is ${minutes} minutes ahead of metadata's, which does not take changes from the future.`;
    return found('clock-ahead', sentence, 'Set the clock; what was changed meanwhile is then synced.');
  }
  return undefined;
}

/** How far it has come on its way. */
function standstill(facts: Facts, folder: SyncedFacts, outgoing: 'unseen' | 'unread' | 'change'): Finding {
  const { namespace, path, askedAtMs } = facts;
  const { syncedBy, root, denied } = folder;
  if (denied.reading !== undefined) {
    const sentence = `${path} cannot be read: ${denied.reading}.`;
    return found('unsyncable', sentence, 'Change its permissions, or have somebody sync the folder who may read it.');
  }
  if (syncedBy === undefined) {
    const sentence = `${path} was changed in this folder, and no sync of ${root} runs.`;
    return found('not-syncing', sentence, `Run 'drystone sync ${root} --namespace ${namespace}'.`);
  }
  if (outgoing === 'unseen') {
    const sentence = `The sync has not looked at ${path} since it was changed.`;
    return found(
      'not-scanned',
      sentence,
      'Wait a moment; where the disk cannot be watched, it looks every half minute.',
    );
  }
  const nobody = nobodyTakes(facts);
  if (nobody !== undefined) return nobody;
  if (outgoing === 'unread' && askedAtMs - changedAtMs(folder) < JUST_WRITTEN_MS) {
    const sentence = `${path} is being read, or keeps changing while it is read.`;
    return found('being-read', sentence, 'Close the program that writes it; until then it is tried again.');
  }
  return found(
    'underway',
    `${path} was changed in this folder, and is on its way.`,
    'Wait for the sync to say that it is quiet; where it has to wait, it says for what.',
  );
}

/** Why nobody is there to take a change. */
function nobodyTakes({ namespace, path, service }: Facts): Finding | undefined {
  if (service.state !== 'answered') {
    const sentence = `${path} was changed in this folder, and metadata cannot be reached.`;
    return found('metadata-unreachable', sentence, "It is sent when metadata answers; see 'drystone status'.");
  }
  const online = service.agents.filter(({ state }) => state === 'online');
  if (online.length === 0) {
    const sentence = `${path} was changed in this folder, and no agent that holds ${namespace} is online to take it.`;
    return found('agents-offline', sentence, "Start one of them; see 'drystone agent list'.");
  }
  if (online.every(isFull)) {
    const where = online.map(({ premises }) => premises).join(', ');
    const sentence = `${path} was changed in this folder, and the disk of every agent that could take it is full: ${where}.`;
    return found('agents-full', sentence, "Make room there, or lower its free-floor; see 'drystone agent list'.");
  }
  return undefined;
}

/** Whether its disk is known to have no more room than is to be kept free. */
function isFull({ freeBytes, freeFloorBytes }: AgentFacts): boolean {
  return freeBytes !== undefined && freeFloorBytes !== undefined && freeBytes <= freeFloorBytes;
}

/** When what stands there was last written or renamed. */
function changedAtMs({ way }: SyncedFacts): number {
  const standing = way.outcome === 'seen' ? way.standing : undefined;
  return standing?.kind === 'file' ? Number(standing.stamp.changedAtNs / 1_000_000n) : 0;
}
