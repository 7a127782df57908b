import { found, type Finding } from './finding.js';

const TO_BE_RENAMED = '; rename it to have it synced';

/** That a scan leaves out what stands at `where`, and what helps against its problem. Pure. */
export function unsyncable(where: string, problem: string): Finding {
  const { wrong, remedy } = withRemedy(problem);
  return found('unsyncable', `${where} cannot be synced as it is here: ${wrong}.`, remedy);
}

/** A problem as a scan reports it, and what to do about it. */
export function withRemedy(problem: string): { readonly wrong: string; readonly remedy: string } {
  if (problem.endsWith(TO_BE_RENAMED)) {
    return { wrong: problem.slice(0, -TO_BE_RENAMED.length), remedy: 'Rename it to have it synced.' };
  }
  if (problem.startsWith('it cannot be ')) {
    return { wrong: problem, remedy: 'Make it readable for whoever syncs the folder; the sync tries again by itself.' };
  }
  if (problem.startsWith('it is a symlink ')) return { wrong: problem, remedy: 'Link it to somewhere else.' };
  if (problem.startsWith('its ')) return { wrong: problem, remedy: 'Put that right; the sync tries again by itself.' };
  return {
    wrong: problem,
    remedy: 'Move it out of the folder, or leave it: it stays here alone, and everything else is synced.',
  };
}
