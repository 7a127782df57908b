import { conflictsOf } from '../../common/feed/conflicts.js';
import { isKeptByClient } from '../observe/ignore-rules.js';
import { live } from '../plan/difference.js';
import type { AnsweredFacts, Facts, SyncedFacts } from './facts.js';
import { found, type Finding } from './finding.js';
import { unsyncable, withRemedy } from './unsyncable.js';
import { whyNotDown } from './why-not-down.js';
import { whyNotUp } from './why-not-up.js';

/**
 * Why a path is not where somebody looks for it, from what is known of it: the first thing that would have to change, of
 * several. Pure.
 */
export function diagnose(facts: Facts): Finding {
  return byTheNamespace(facts) ?? byTheFolder(facts);
}

/** What keeps it from everybody, or from everybody of this account. */
function byTheNamespace({ namespace, path, service, folder }: Facts): Finding | undefined {
  if (service.state === 'no member') {
    const sentence = `There is no namespace ${namespace}, or your account is not, or no longer, a member of it.`;
    return found('no-member', sentence, "Correct the name, or ask an owner for 'drystone namespace share'.");
  }
  if (folder.state === 'of another namespace') {
    const sentence = `${folder.root} is synced with another namespace, not with ${namespace}.`;
    return found('other-namespace', sentence, 'Name the folder that is synced with it: --dir DIR.');
  }
  const isHere = folder.state === 'synced' && folder.way.outcome === 'seen' && folder.way.standing !== undefined;
  if (isHere || isNotThere(folder)) return undefined;
  const isNamed = service.state === 'answered' && live(service.item) !== undefined;
  const misnamed = folder.state === 'synced' && !isNamed ? problemAt(path, folder) : undefined;
  if (misnamed !== undefined) return unsyncable(path, misnamed);
  if (service.state === 'unreachable') {
    if (folder.state === 'synced' && live(folder.remote) !== undefined) return undefined;
    const sentence = `Whether ${namespace} has ${path} cannot be said: metadata cannot be reached (${service.problem}).`;
    return found('metadata-unreachable', sentence, "See 'drystone status', and ask again when it answers.");
  }
  return live(service.item) === undefined ? absent(namespace, path, service) : undefined;
}

/** The folder itself says why, whatever the namespace holds. */
function isNotThere(folder: Facts['folder']): boolean {
  return folder.state === 'synced' && (folder.way.outcome === 'ignored' || folder.way.outcome === 'blocked');
}

/** What a scan finds wrong with a thing that bears the name, where it stands for no path. */
function problemAt(path: string, { problems }: SyncedFacts): string | undefined {
  return problems.find(({ name }) => name === path)?.problem;
}

/** The namespace has nothing at the path. */
function absent(namespace: string, path: string, { item, authorName, twins, copies }: AnsweredFacts): Finding {
  const [copy] = copies;
  if (copy !== undefined) {
    const sentence = `${path} is gone; what somebody else had made of it at the same time is kept as ${copy}.`;
    return found('conflicted-copy', sentence, 'Rename that file to have it back under its name.');
  }
  const [twin] = twins;
  if (twin !== undefined) {
    const sentence = `${namespace} has no ${path}, but ${twin}, which is written differently.`;
    return found('case-twin', sentence, 'Names that differ in case are different names; look for that one.');
  }
  if (item !== undefined) {
    const when = new Date(item.at.wallMs).toISOString().slice(0, 19).replace('T', ' ');
    const sentence = `${path} was deleted in ${namespace} by ${authorName}, at ${when} UTC.`;
    return found('deleted', sentence, 'Put it into a synced folder again to have it back.');
  }
  const sentence = `${namespace} has never had ${path}, or has forgotten that it was deleted.`;
  return found(
    'unknown',
    sentence,
    `Check the name with 'drystone ls ${namespace}', or ask whoever was to put it there.`,
  );
}

function byTheFolder(facts: Facts): Finding {
  const { namespace, path, service, folder } = facts;
  switch (folder.state) {
    case 'none':
    case 'never synced':
    case 'of another namespace': {
      const where = folder.state === 'none' ? folder.directory : folder.root;
      const sentence = `${namespace} has ${path}, and ${where} has never been synced with it.`;
      const advice = `Sync a folder with 'drystone sync DIR --namespace ${namespace}', or name the one that is: --dir DIR.`;
      return found('never-synced', sentence, advice);
    }
    case 'synced':
      return (
        inTheFolder(path, folder) ??
        conflictWaits(path, service, folder) ??
        whyNotUp(facts, folder) ??
        whyNotDown(facts, folder) ??
        provisional(path, folder) ??
        leftTwin(path, folder) ??
        standing(facts)
      );
  }
}

/** What the folder does not let in or out. */
function inTheFolder(path: string, { way }: SyncedFacts): Finding | undefined {
  if (way.outcome === 'ignored' && isKeptByClient(way.at)) {
    const sentence = `Drystone keeps its own state of a folder in ${way.at}, and never syncs that.`;
    return found('ignored', sentence, 'Keep what is to be synced elsewhere in the folder.');
  }
  if (way.outcome === 'ignored') {
    const sentence = `A pattern in a .drystoneignore file keeps ${way.at} out of the sync of this folder.`;
    return found('ignored', sentence, 'Remove the pattern, or except the path with a line that begins with !.');
  }
  if (way.outcome === 'blocked') {
    return unsyncable(way.at === '' ? 'The folder' : way.at, way.problem);
  }
  if (way.outcome === 'missing' && way.standing !== undefined) {
    const sentence = `${path} cannot be put here, because ${way.at} is a ${way.standing.kind} in this folder.`;
    return found('in-the-way', sentence, `Rename ${way.at} here to make room.`);
  }
  return undefined;
}

/** Several have changed it at once, and nobody who could settle that is there. */
function conflictWaits(
  path: string,
  service: Facts['service'],
  { remote, syncedBy }: SyncedFacts,
): Finding | undefined {
  const others = remote === undefined ? 0 : conflictsOf(remote).length;
  if (service.state === 'answered' || others === 0 || syncedBy === undefined) return undefined;
  const sentence = `${path} was changed by several at once, in ${others + 1} ways, while metadata cannot be reached: until it or an agent answers, each folder keeps its own.`;
  return found('conflict-waits', sentence, "Nothing is lost; see 'drystone status' for when the line is back.");
}

/** An agent has it and has not been able to pass it on, or nobody but peers can hear of it. */
function provisional(path: string, folder: SyncedFacts): Finding | undefined {
  if (folder.provisional === undefined) return undefined;
  const sentence = `${path} is here, and metadata has not heard of it: an agent keeps it, or peers hear of it from here, until the line to metadata is back.`;
  return found('provisional', sentence, "Other sites have it when metadata does; see 'drystone status'.");
}

/** Another entry of the same name, which a scan cannot take as well: who looks for the file may mean that one. */
function leftTwin(path: string, { problems }: SyncedFacts): Finding | undefined {
  const problem = problems.find(({ twinOf }) => twinOf === path)?.problem;
  if (problem === undefined) return undefined;
  const { wrong, remedy } = withRemedy(problem);
  return found('case-twin', `${path} is here, and beside it an entry that is left as it is: ${wrong}.`, remedy);
}

/** Both sides agree. */
function standing({ namespace, path, service }: Facts): Finding {
  if (service.state !== 'answered') return found('nothing', `${path} is here, as the namespace has it.`, '');
  const { blocks, copies, twins } = service;
  if (blocks.nowhere > 0) {
    const sentence = `${path} is here, and no agent that holds ${namespace} has ${blocks.nowhere} of its ${blocks.count} blocks: nobody else can fetch it.`;
    return found('blocks-missing', sentence, 'Touch it, and sync this folder: what the agents lack is sent with it.');
  }
  if (blocks.offline > 0) {
    const sentence = `${path} is here, and ${blocks.offline} of its ${blocks.count} blocks are at agents alone that are offline: nobody else can fetch it until they are back.`;
    return found('agents-offline', sentence, "Start them, or repair their line; see 'drystone agent list'.");
  }
  const [copy] = copies;
  if (copy !== undefined) {
    const sentence = `${path} is here; what somebody else had made of it at the same time is kept as ${copy}.`;
    return found('conflicted-copy', sentence, "Decide with 'drystone conflicts resolve'.");
  }
  const [twin] = twins;
  if (twin !== undefined) {
    const sentence = `${path} is here, as the namespace has it; some file systems cannot tell its name from ${twin}.`;
    return found('case-twin', sentence, 'Rename one of them, so that others can have both.');
  }
  return found('nothing', `${path} is here, as the namespace has it.`, '');
}
