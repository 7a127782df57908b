import { laterTime, nextTime, TIME_START, type HybridTime } from '../../common/feed/hybrid-time.js';
import { isVoid, type Item, type ItemContent, type ItemPath, type Version } from '../../common/feed/item.js';
import { fitsTheWire, hasSeen, itemOf, mergeItems } from '../../common/feed/merge.js';
import { counterOf, joinVersions } from '../../common/feed/version.js';
import type { DeviceId, ReplicaId } from '../../common/ids.js';
import type { LocalEntry } from '../state/local-entry.js';
import type { Trees } from '../state/tree-store.js';
import type { Offer } from './operation.js';

/**
 * What becomes of a conflict. It is settled in the namespace; or, where this account may only read, it is left to others, and the folder
 * keeps what is its own under another name; or it waits, while only peers hear of it, and the folder keeps what it has in place:
 * nobody else may have the bytes.
 */
export type ConflictRule = 'settle' | 'leave to others' | 'wait';

/** What a plan depends on beside the trees. */
export interface PlanRules {
  /** The device that plans, and its folder. */
  readonly device: DeviceId;
  readonly replica: ReplicaId;
  /** Milliseconds since 1970 UTC. */
  readonly nowMs: number;
  readonly conflicts: ConflictRule;
  /**
   * Whether what is provisional of a path is for this folder to say to whoever takes changes now: to metadata, because agents have
   * had the time to, or to an agent that has not heard it. Of no path unless set.
   */
  isProvisionalDue?(path: ItemPath): boolean;
  /**
   * Whether others may still tell metadata what is provisional. A conflict of which it is a side waits for that: what settles it would
   * leave the change out, of which those who have heard it could not hear the end. No unless set.
   */
  readonly isRelayAwaited?: boolean;
  /** Whether a path is none of the sync's business, whatever the trees say of it: ignored, or not to be looked into. */
  leaveAlone(path: ItemPath, kind: Exclude<ItemContent['kind'], 'deletion'>): boolean;
}

/** All that is known of one path. */
export interface Situation {
  readonly path: ItemPath;
  readonly remote: Item | undefined;
  readonly local: LocalEntry | undefined;
  /** What the folder's state was made from: what both sides last agreed on, deletions included. */
  readonly base: Item | undefined;
  /** Whether `base` was offered, and accepted without our being told: the synced tree does not know of it. */
  readonly isNewsToUs: boolean;
  /** What this folder last offered, where it is not known to be accepted; void where the folder has moved on since. */
  readonly open: Item | undefined;
}

export function situationOf(trees: Trees, path: ItemPath): Situation {
  const held = trees.remote.get(path);
  const agreed = trees.synced.get(path);
  const local = trees.local.get(path);
  const offer = trees.offered.get(path);
  if (offer !== undefined && held !== undefined && !isVoid(offer) && hasSeen(held, offer)) {
    return { path, remote: held, local, base: offer, isNewsToUs: true, open: undefined };
  }
  // A namespace that was restored from an older copy may not know what both sides agreed on: then nothing is agreed.
  const isKnown = agreed === undefined || held === undefined || hasSeen(held, agreed);
  return { path, remote: held, local, base: isKnown ? agreed : undefined, isNewsToUs: false, open: offer };
}

/**
 * The next change of a path, made by who has seen `seen`. It has a number that this folder has never given before, and the
 * time at which the file system says the file was changed: who comes back after a week has not written last. Where it does
 * not say, it is now; and always later than what is replaced.
 */
export function nextOffer(situation: Situation, seen: readonly (Item | undefined)[], rules: PlanRules): Offer {
  const { remote, base, open, local } = situation;
  const { replica: replicaId, device: author, nowMs } = rules;
  let counter = 1;
  for (const item of [remote, base, open]) {
    if (item !== undefined) counter = Math.max(counter, counterOf(item.version, replicaId) + 1);
  }
  const change = { replicaId, counter };
  let version: Version = [change];
  let latest: HybridTime = TIME_START;
  for (const item of seen) {
    if (item === undefined) continue;
    version = joinVersions(version, item.version);
    latest = laterTime(latest, item.at);
  }
  return { version, change, at: nextTime(latest, madeAtMs(local, nowMs)), author };
}

/** Whether the namespace could hold this folder's content beside what it has. */
export function fitsBeside(situation: Situation, remote: Item, content: ItemContent, rules: PlanRules): boolean {
  const own = { ...nextOffer(situation, [situation.base], rules), content };
  return fitsTheWire(mergeItems(remote, itemOf(remote.path, own.version, [own])));
}

function madeAtMs(local: LocalEntry | undefined, nowMs: number): number {
  if (local?.kind !== 'file') return nowMs;
  const changedAtMs = Number(local.stamp.changedAtNs / 1_000_000n);
  return Math.max(1, Math.min(changedAtMs, nowMs));
}
