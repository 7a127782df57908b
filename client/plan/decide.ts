import {
  sameContent,
  type FileContent,
  type Item,
  type ItemContent,
  type ItemPath,
  type SymlinkContent,
} from '../../common/feed/item.js';
import { advanceVersion, NO_VERSION } from '../../common/feed/version.js';
import type { DeviceId } from '../../common/ids.js';
import { contentOfLocal, type LocalEntry } from '../state/local-entry.js';
import type { Trees } from '../state/tree-store.js';
import { conflictPath } from './conflict-name.js';
import { isContested, live, localChange, remoteChange, sameBytes, sameState, type LiveItem } from './difference.js';
import type { ItemOf, Operation } from './operation.js';

/** What a plan depends on beside the trees. */
export interface PlanRules {
  /** The device that plans. */
  readonly device: DeviceId;
  /** Milliseconds since 1970 UTC, for the names of conflicted copies. */
  readonly nowMs: number;
  /** Whether a path is none of the sync's business, whatever the trees say of it: ignored, or not to be looked into. */
  leaveAlone(path: ItemPath, kind: Exclude<ItemContent['kind'], 'deletion'>): boolean;
}

/** What to do about one path: an operation, nothing, or nothing until paths below it have been dealt with. */
export type Decision = Operation | 'nothing' | 'wait';

/** All that is known of one path. */
interface Situation {
  readonly path: ItemPath;
  readonly remote: Item | undefined;
  readonly synced: Item | undefined;
  readonly local: LocalEntry | undefined;
}

/**
 * Decides path by path. What is said of a directory depends on what is said of the paths below it, never the other way
 * round. An edit beats a delete; of two edits the namespace's keeps the path and the folder's gets another name; a
 * directory lives for as long as something in it does.
 */
export class Decider {
  readonly #decisions = new Map<ItemPath, Decision>();
  readonly #suspects = new Set<ItemPath>();

  constructor(
    private readonly trees: Trees,
    private readonly rules: PlanRules,
  ) {}

  decide(path: ItemPath): Decision {
    const known = this.#decisions.get(path);
    if (known !== undefined) return known;
    const decision = this.#decideNew(this.#situationOf(path));
    this.#decisions.set(path, decision);
    return decision;
  }

  /**
   * Something is to be made below `path`: whether it can be a file or symlink is to be decided anew. Returns whether that
   * was not known before.
   */
  suspect(path: ItemPath): boolean {
    if (this.#suspects.has(path)) return false;
    this.#suspects.add(path);
    this.#decisions.delete(path);
    return true;
  }

  #situationOf(path: ItemPath): Situation {
    const remote = this.trees.remote.get(path);
    const synced = this.trees.synced.get(path);
    return {
      path,
      remote,
      synced: isContested(remote, synced) ? undefined : synced,
      local: this.trees.local.get(path),
    };
  }

  #decideNew(situation: Situation): Decision {
    const { path, remote, synced, local } = situation;
    const kind = local?.kind ?? live(remote)?.content.kind ?? live(synced)?.content.kind;
    if (kind === undefined || this.rules.leaveAlone(path, kind)) return 'nothing';
    const isChanged = remoteChange(remote, synced);
    // Most of what a plan looks at is as it was.
    if (!isChanged && localChange(local, synced) === false && !this.#suspects.has(path)) return 'nothing';
    const there = live(remote);
    if (there !== undefined && there.content.kind !== 'directory') {
      const below = this.#itemsBelow(path);
      if (below !== 'none') return below === 'leaving' ? 'wait' : this.#makeRoom(there);
    }
    if (!isChanged) return this.#decideFolderOnly(situation);
    return there === undefined ? this.#decideRemoved(situation) : this.#decideChanged(situation, there);
  }

  /** The namespace is as it was when both sides last agreed. */
  #decideFolderOnly(situation: Situation): Decision {
    const { path, remote, synced, local } = situation;
    if (localChange(local, synced) === false) return 'nothing';
    if (local !== undefined) return this.#commit(situation, local);
    // A namespace that has never heard of the item, such as one restored from an older copy, needs no deletion either.
    if (remote === undefined) return { kind: 'adopt', path, item: undefined };
    if (this.#itemsBelow(path) === 'staying') return { kind: 'make-directory', path, item: remote };
    return { kind: 'commit-item', path, version: this.#nextVersion(situation), change: { from: 'deletion', synced } };
  }

  /** The namespace's item was deleted since both sides last agreed. */
  #decideRemoved(situation: Situation): Decision {
    const { path, synced, local } = situation;
    if (local === undefined) return { kind: 'adopt', path, item: undefined };
    const change = localChange(local, synced);
    if (change === 'unread' && local.kind === 'file') return { kind: 'read-file', path, file: local };
    if (change !== false) return this.#commit(situation, local);
    if (local.kind !== 'directory') return { kind: 'remove', path, replaces: local };
    const below = this.#outlook(path);
    if (below.stays || this.#itemsBelow(path) === 'staying') return this.#commit(situation, local);
    return below.unclear ? 'wait' : { kind: 'remove', path, replaces: local };
  }

  /** The namespace's item appeared or changed since both sides last agreed. */
  #decideChanged(situation: Situation, remote: LiveItem): Decision {
    const { path, synced, local } = situation;
    if (local === undefined) return create(remote, undefined);
    if (local.kind === 'directory') {
      return remote.content.kind === 'directory' ? { kind: 'adopt', path, item: remote } : this.#giveWay(path, local);
    }
    const content = contentOfLocal(local);
    if (content === undefined) return local.kind === 'file' ? { kind: 'read-file', path, file: local } : 'nothing';
    if (sameState(content, remote.content)) return { kind: 'adopt', path, item: remote };
    const unchanged = localChange(local, synced) === false;
    if (remote.content.kind === 'directory') {
      return unchanged ? { kind: 'remove', path, replaces: local } : this.#keepConflict(path, local);
    }
    if (isFile(remote) && local.kind === 'file' && content.kind === 'file' && sameBytes(content, remote.content)) {
      return { kind: 'set-attributes', path, item: remote, replaces: local };
    }
    if (unchanged) return create(remote, local);
    if (synced?.content.kind === 'file') {
      // Where one side has only touched attributes, the other's bytes lose nothing.
      if (content.kind === 'file' && sameBytes(content, synced.content)) return create(remote, local);
      if (isFile(remote) && sameBytes(remote.content, synced.content)) return this.#commit(situation, local);
    }
    return this.#keepConflict(path, local);
  }

  /** The namespace has a file or symlink where the folder has a directory. */
  #giveWay(path: ItemPath, local: LocalEntry): Decision {
    const below = this.#outlook(path);
    if (below.goes || below.unclear)
      return below.stays || below.unclear ? 'wait' : { kind: 'remove', path, replaces: local };
    return below.stays ? this.#keepConflict(path, local) : { kind: 'remove', path, replaces: local };
  }

  /**
   * The namespace has a file or symlink with items below it: two devices disagreed on what the path is. The directory
   * keeps it. What stood there is committed under another name, which every device finds alike, and in a later plan the
   * path is committed as the directory that it is.
   */
  #makeRoom({ path, author, content, version }: LiveItem): Decision {
    const { remote } = this.trees;
    const dateMs = content.kind === 'file' ? content.modifiedAtMs : 0;
    const differs = (other: Item | undefined): boolean => other !== undefined && !sameContent(other.content, content);
    const copy = conflictPath(path, author, dateMs, (candidate) => differs(live(remote.get(candidate))));
    const kept = remote.get(copy);
    if (live(kept) !== undefined) {
      const change = { from: 'namespace', content: { kind: 'directory' } } as const;
      return { kind: 'commit-item', path, version: advanceVersion(version, this.rules.device), change };
    }
    const copyVersion = advanceVersion(kept?.version ?? NO_VERSION, this.rules.device);
    return { kind: 'commit-item', path: copy, version: copyVersion, change: { from: 'namespace', content } };
  }

  #commit(situation: Situation, entry: LocalEntry): Decision {
    const { path, synced } = situation;
    if (entry.kind !== 'directory') {
      const below = this.#itemsBelow(path);
      if (below !== 'none') return below === 'leaving' ? 'wait' : this.#keepConflict(path, entry);
    }
    const version = this.#nextVersion(situation);
    return { kind: 'commit-item', path, version, change: { from: 'folder', entry, synced } };
  }

  #keepConflict(path: ItemPath, replaces: LocalEntry): Decision {
    const { device, nowMs } = this.rules;
    const { remote, local } = this.trees;
    const isTaken = (candidate: ItemPath): boolean =>
      remote.get(candidate) !== undefined || local.get(candidate) !== undefined;
    return { kind: 'keep-conflict', path, keptAs: conflictPath(path, device, nowMs, isTaken), replaces };
  }

  #nextVersion({ remote, synced }: Situation): Item['version'] {
    return advanceVersion(remote?.version ?? synced?.version ?? NO_VERSION, this.rules.device);
  }

  /** Whether the namespace has anything below `path`, and if so whether all of it is what this device is about to delete. */
  #itemsBelow(path: ItemPath): 'none' | 'leaving' | 'staying' {
    let result: 'none' | 'leaving' = 'none';
    for (const below of this.trees.remote.pathsBelow(path)) {
      if (live(this.trees.remote.get(below)) === undefined) continue;
      const decision = this.decide(below);
      if (typeof decision === 'string' || decision.kind !== 'commit-item' || decision.change.from !== 'deletion') {
        return 'staying';
      }
      result = 'leaving';
    }
    return result;
  }

  /** What will become of the folder's entries below `path`. */
  #outlook(path: ItemPath): { readonly goes: boolean; readonly stays: boolean; readonly unclear: boolean } {
    const outlook = { goes: false, stays: false, unclear: false };
    for (const below of this.trees.local.pathsBelow(path)) {
      const decision = this.decide(below);
      if (decision === 'wait') outlook.unclear = true;
      else if (decision === 'nothing') outlook.stays = true;
      else if (decision.kind === 'remove') outlook.goes = true;
      else if (decision.kind === 'read-file') outlook.unclear = true;
      else outlook.stays = true;
    }
    return outlook;
  }
}

function isFile(item: LiveItem): item is LiveItem & ItemOf<FileContent> {
  return item.content.kind === 'file';
}

function isSymlink(item: LiveItem): item is LiveItem & ItemOf<SymlinkContent> {
  return item.content.kind === 'symlink';
}

/** How an item comes into the folder, over `replaces` where that stands there. */
function create(item: LiveItem, replaces: LocalEntry | undefined): Operation {
  const { path } = item;
  if (isFile(item)) return { kind: 'fetch-file', path, item, replaces };
  if (isSymlink(item)) return { kind: 'make-symlink', path, item, replaces };
  return { kind: 'make-directory', path, item };
}
