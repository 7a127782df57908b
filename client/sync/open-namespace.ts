import { join } from 'node:path';
import { withRetries, type RetryOptions } from '../../common/concurrency/retry.js';
import { DrystoneError, toDrystoneError } from '../../common/errors.js';
import {
  ID_BYTES,
  parseNamespaceId,
  replicaIdOf,
  type NamespaceId,
  type NamespaceName,
  type ReplicaId,
} from '../../common/ids.js';
import { clientLimits } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import type { Assignment } from '../../proto/gen/drystone/metadata/v1/account.js';
import { readAssignment } from '../connection/assignment.js';
import type { KeptAssignment } from '../connection/kept-assignment.js';
import type { MetadataCalls } from '../connection/metadata-calls.js';
import type { TreeStore } from '../state/tree-store.js';
import type { MetadataReach } from '../upstream/metadata-reach.js';

export interface OpeningParts {
  /** Absolute. */
  readonly root: string;
  /** The machine's name: what tells the folder from one at the same place on another. */
  readonly host: string;
  /** As in `SessionParts`. */
  readonly stateOrigin: string;
  readonly namespace: NamespaceName;
  readonly store: TreeStore;
  readonly metadata: Pick<MetadataCalls, 'account'>;
  readonly random: Random;
  readonly reach: MetadataReach;
  /** What was said last, where the sync may go on by that while metadata is away. */
  readonly kept: KeptAssignment | undefined;
  readonly retrying: RetryOptions;
}

/** The namespace of a folder, and the folder as one that changes its items. */
export interface OpenNamespace {
  readonly namespaceId: NamespaceId;
  readonly replica: ReplicaId;
  readonly assignment: Assignment;
}

/**
 * Finds out what the namespace is and who holds it, and binds the folder to it. Metadata says it; where that is away it is
 * what it said last. Raises the errors of readAssignment, and FAILED_PRECONDITION (FOLDER_OF_OTHER_NAMESPACE).
 */
export async function openNamespace(parts: OpeningParts, signal: AbortSignal): Promise<OpenNamespace> {
  const assignment = await findAssignment(parts, signal);
  const namespaceId = await claim(parts, assignment);
  return { namespaceId, replica: replicaOf(parts), assignment };
}

async function findAssignment(parts: OpeningParts, signal: AbortSignal): Promise<Assignment> {
  const { namespace, metadata, reach } = parts;
  const kept = await parts.kept?.read(namespace);
  const options = kept === undefined ? { signal } : { signal, timeoutMs: clientLimits.metadataAwayMs };
  return withRetries(parts.retrying, async () => {
    try {
      return await readAssignment(namespace, metadata, options);
    } catch (thrown) {
      reach.failed(toDrystoneError(thrown));
      if (kept !== undefined && reach.isAway) return kept;
      throw thrown;
    }
  });
}

/**
 * Makes the folder a new one among those that change items, for a state that is an older copy of another, or one of two. What it
 * knows it goes on knowing, as something that others have done. Resolves when that is durable.
 */
export async function becomeAnother({ store, random }: Pick<OpeningParts, 'store' | 'random'>): Promise<void> {
  if (store.namespaceId !== undefined) await store.claim(store.namespaceId, newNonce(random));
}

function newNonce(random: Random): string {
  return random.bytes(ID_BYTES).toString('hex');
}

/** The namespace's id, to which the folder is bound from now on. */
async function claim({ store, root, namespace, random }: OpeningParts, assignment: Assignment): Promise<NamespaceId> {
  const namespaceId = parseNamespaceId('namespace_id', assignment.namespaceId);
  if (store.namespaceId === undefined) await store.claim(namespaceId, newNonce(random));
  if (store.namespaceId === namespaceId) return namespaceId;
  const advice = `choose another folder, or remove ${join(root, '.drystone')} to sync this one with ${namespace} from now on`;
  const message = `${root} is synced with another namespace (${store.namespaceId ?? 'none'}); ${advice}`;
  throw new DrystoneError('FAILED_PRECONDITION', 'FOLDER_OF_OTHER_NAMESPACE', message);
}

/** The folder as one that changes items. A copy of it, with its state, is another one: it lies elsewhere, or was made later. */
function replicaOf({ store, host, root, stateOrigin }: OpeningParts): ReplicaId {
  return replicaIdOf('folder', store.nonce ?? '', host, root, stateOrigin);
}
