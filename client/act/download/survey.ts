import { hashAt, hashCount, hashKey, hashKeyAt, packKeys, type HashKey } from '../../../common/block-hash.js';
import type { Clock } from '../../../common/clock.js';
import { anySignal } from '../../../common/concurrency/any-signal.js';
import { toDrystoneError } from '../../../common/errors.js';
import type { NamespaceId } from '../../../common/ids.js';
import { peerLimits, wireLimits } from '../../../common/limits.js';
import type { BlockSource } from './block-source.js';

/** By block, the ids of the sources that have said that they hold it. */
export type Holders = ReadonlyMap<HashKey, ReadonlySet<string>>;

export interface SurveyOptions {
  readonly namespaceId: NamespaceId;
  readonly sources: readonly BlockSource[];
  readonly hashes: readonly Uint8Array[];
  readonly clock: Clock;
}

/**
 * Asks all sources at once which of these blocks they hold, for at most `peerLimits.surveyMs`: who has not said it by then
 * is not waited for. Never rejects.
 */
export async function findHolders(
  { namespaceId, sources, hashes, clock }: SurveyOptions,
  signal: AbortSignal,
): Promise<Holders> {
  const holders = new Map<HashKey, Set<string>>();
  const keys = hashes.map(hashKey);
  if (keys.length === 0) return holders;
  const lists: Uint8Array[] = [];
  for (let from = 0; from < keys.length; from += wireLimits.hashesPerMessage) {
    lists.push(packKeys(keys.slice(from, from + wireLimits.hashesPerMessage)));
  }
  const over = new AbortController();
  const together = anySignal([signal, over.signal]);
  const asking = sources.map(async (source) => {
    const signalOfCall = anySignal([together]);
    try {
      let answered = 0;
      for await (const missing of source.blocks.missing(namespaceId, eachOf(lists), { signal: signalOfCall })) {
        noteHeld(lists[answered++] ?? new Uint8Array(0), missing, source.id, holders);
      }
    } catch (thrown) {
      if (!together.aborted) source.onFailure(toDrystoneError(thrown));
    }
  });
  const patience = clock.sleep(peerLimits.surveyMs, together).catch(() => undefined);
  await Promise.race([Promise.all(asking), patience]);
  over.abort();
  return holders;
}

function noteHeld(asked: Uint8Array, missing: Uint8Array, id: string, holders: Map<HashKey, Set<string>>): void {
  const lacking = new Set<HashKey>();
  for (let index = 0; index < hashCount(missing); index++) lacking.add(hashKeyAt(missing, index));
  for (let index = 0; index < hashCount(asked); index++) {
    const key = hashKey(hashAt(asked, index));
    if (lacking.has(key)) continue;
    const known = holders.get(key);
    if (known === undefined) holders.set(key, new Set([id]));
    else known.add(id);
  }
}

async function* eachOf<T>(values: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* values;
}
