import { join } from 'node:path';
import { AccessTokenVerifier } from '../common/identity/access-tokens.js';
import { judgedAtLastWord } from '../common/identity/offline-grace.js';
import type { ProgramContext } from '../common/program/context.js';
import { tokenAccess, type BlockAccess } from '../server/block-access.js';
import type { BlockMetrics } from '../server/block-metrics.js';
import { AssignedNamespaces } from './assigned-namespaces.js';
import { FleetStanding } from './fleet-standing.js';
import { KeptLastWord } from './last-word.js';
import { KeptTokenKeys } from './token-keys.js';

/** What metadata last said to this agent, kept over restarts, and who may come by it. */
export interface LastSaid {
  readonly assigned: AssignedNamespaces;
  readonly tokenKeys: KeptTokenKeys;
  readonly lastWord: KeptLastWord;
  readonly standing: FleetStanding;
  readonly access: BlockAccess;
}

/** Reads it from the agent's data directory. INTERNAL (STORE_FAILED) where a file cannot be understood. */
export async function loadLastSaid(
  dataDir: string,
  { clock, logger }: Pick<ProgramContext, 'clock' | 'logger'>,
  metrics: BlockMetrics,
): Promise<LastSaid> {
  const lastWord = await KeptLastWord.load(join(dataDir, 'last-word.json'), { clock, logger });
  const time = judgedAtLastWord(clock, lastWord);
  const verifier = new AccessTokenVerifier(clock, time);
  const tokenKeys = await KeptTokenKeys.load(join(dataDir, 'token-keys.json'), verifier);
  const assigned = await AssignedNamespaces.load(join(dataDir, 'assignments.json'));
  const standing = new FleetStanding(assigned, tokenKeys, logger);
  const access = tokenAccess({
    verifier,
    isAssigned: (namespaceId) => assigned.holds(namespaceId),
    isRevoked: () => standing.isRevoked,
    clock,
    time,
    metrics,
  });
  return { assigned, tokenKeys, lastWord, standing, access };
}
