import { conflictPath } from '../../common/feed/conflict-name.js';
import { conflictsOf, settle, settleAsDirectory, type Settlement } from '../../common/feed/conflicts.js';
import { isVoid, type Item, type ItemContent, type ItemPath } from '../../common/feed/item.js';
import { hasSeen, sameChange, sameItem } from '../../common/feed/merge.js';
import { feedLimits } from '../../common/limits.js';
import { contentOfLocal, type LocalEntry } from '../state/local-entry.js';
import type { Trees } from '../state/tree-store.js';
import { create, isFile } from './create.js';
import { haveSameBytes, live, localChange, remoteChange, sameState, type LiveItem } from './difference.js';
import type { CommitItem, Offer, Operation } from './operation.js';
import { folderChange, isGivenUp, isReplacing, isSide, sayAgain } from './told.js';
import { fitsBeside, nextOffer, situationOf, type PlanRules, type Situation } from './situation.js';

/** What to do about one path: an operation, nothing, or nothing until paths below it have been dealt with. */
export type Decision = Operation | 'nothing' | 'wait';

/**
 * Decides path by path. What is said of a directory depends on what is said of the paths below it, never the other way
 * round. What was changed on both sides is merged by the namespace (docs/merge.md); what it calls a conflict is settled
 * before anything else is done about the path. A directory lives for as long as something in it does.
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
    const decision = this.#decideNew(situationOf(this.trees, path));
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

  #decideNew(situation: Situation): Decision {
    const { path, remote, base, local } = situation;
    const kind = local?.kind ?? live(remote)?.content.kind ?? live(base)?.content.kind;
    if (kind === undefined) {
      return (
        this.#sayProvisional(situation) ?? (situation.isNewsToUs ? { kind: 'adopt', path, item: undefined } : 'nothing')
      );
    }
    if (this.rules.leaveAlone(path, kind)) return 'nothing';
    if (remote !== undefined && conflictsOf(remote).length > 0) {
      if (this.rules.conflicts === 'wait') return this.#offerAgain(situation) ?? this.#keepSide(situation, remote);
      if (this.rules.conflicts === 'settle') {
        const settled = (): Decision => (this.#isWordOut(path, remote) ? 'wait' : this.#settle(settle(remote)));
        return this.#sayProvisional(situation) ?? this.#replaceProvisional(situation) ?? settled();
      }
    }
    const offeredAgain = this.#offerAgain(situation) ?? this.#sayProvisional(situation);
    if (offeredAgain !== undefined) return offeredAgain;
    const isChanged = remoteChange(remote, base);
    // Most of what a plan looks at is as it was.
    if (!isChanged && localChange(local, live(base)) === false && !this.#suspects.has(path)) {
      return situation.isNewsToUs ? { kind: 'adopt', path, item: live(base) } : 'nothing';
    }
    const there = live(remote);
    if (there !== undefined && there.content.kind !== 'directory') {
      const below = this.#itemsBelow(path);
      if (below === 'leaving' || (below === 'staying' && this.rules.conflicts !== 'settle')) return 'wait';
      // What the folder has put in the place of a file that both sides had needs no copy of that.
      const isAgreed = base !== undefined && sameChange(there.change, base.change);
      const isReplaced = isAgreed && localChange(local, live(base)) !== false;
      if (below === 'staying' && !isReplaced) return this.#settle(settleAsDirectory(there));
    }
    if (!isChanged) return this.#decideFolderOnly(situation);
    return there === undefined ? this.#decideRemoved(situation) : this.#decideChanged(situation, there);
  }

  /**
   * What was said of the path and not answered, where it is still so: it may be on its way, so nothing else is done about the
   * path before it is known what came of it.
   */
  #offerAgain(situation: Situation): Decision | undefined {
    const { open } = situation;
    if (open === undefined || isVoid(open)) return undefined;
    // Said while the clock was wrong: it was not taken, and will not be before that time has come.
    if (open.at.wallMs > this.rules.nowMs + feedLimits.changeAheadMs) return undefined;
    return sayAgain(situation, open);
  }

  /** What of the path is provisional, where it is for this folder to say now and is still so. */
  #sayProvisional(situation: Situation): CommitItem | undefined {
    const isDue = this.rules.isProvisionalDue?.(situation.path) === true;
    const told = isDue ? this.trees.provisional.get(situation.path) : undefined;
    const again = told && sayAgain(situation, told);
    return again && { ...again, isProvisional: true };
  }

  /** Whether a side is what this folder has told others than metadata, which may hear of it from them. */
  #isWordOut(path: ItemPath, remote: Item): boolean {
    const told = this.trees.provisional.get(path);
    return this.rules.isRelayAwaited === true && told !== undefined && isSide(remote, told);
  }

  /**
   * One side of a conflict is what only others than metadata were told of this folder, which has moved on from it: then it
   * needs no copy, and there may be none, since its bytes were perhaps here alone.
   */
  #replaceProvisional(situation: Situation): Decision | undefined {
    const { path, base, local } = situation;
    const told = this.trees.provisional.get(path);
    if (told === undefined) return undefined;
    if (local !== undefined && isGivenUp(situation, told)) {
      // Made in the knowledge of that side alone: the others are still there.
      const change = folderChange(local, undefined);
      return { kind: 'commit-item', path, offer: this.#offer(situation, [told]), again: undefined, change };
    }
    if (!isReplacing(situation, told)) return undefined;
    if (local !== undefined) return this.#commit(situation, local, [base]);
    if (told.content.kind === 'directory' && this.#itemsBelow(path) === 'staying') return undefined;
    return this.#commitDeletion(situation, [base]);
  }

  /** The namespace is as it was when both sides last agreed. */
  #decideFolderOnly(situation: Situation): Decision {
    const { path, remote, base, local } = situation;
    if (localChange(local, live(base)) === false) return 'nothing';
    const seen = [remote, base];
    if (local !== undefined) return this.#commit(situation, local, seen);
    // A namespace that has never heard of the item, such as one restored from an older copy, needs no deletion either.
    if (remote === undefined) return { kind: 'adopt', path, item: undefined };
    if (this.#itemsBelow(path) === 'staying') return { kind: 'make-directory', path, item: remote };
    return this.#commitDeletion(situation, seen);
  }

  /** The namespace's item was deleted since both sides last agreed. */
  #decideRemoved(situation: Situation): Decision {
    const { path, remote, base, local } = situation;
    if (local === undefined) return { kind: 'adopt', path, item: undefined };
    const change = localChange(local, live(base));
    if (change === 'unread' && local.kind === 'file') return { kind: 'read-file', path, file: local };
    // What is written since covers the deletion: nobody misses that.
    if (change !== false) return this.#commit(situation, local, [remote, base]);
    if (local.kind !== 'directory') return { kind: 'remove', path, replaces: local };
    const below = this.#outlook(path);
    if (below.stays || this.#itemsBelow(path) === 'staying') return this.#commit(situation, local, [remote, base]);
    return below.unclear ? 'wait' : { kind: 'remove', path, replaces: local };
  }

  /** The namespace's item appeared or changed since both sides last agreed. */
  #decideChanged(situation: Situation, remote: LiveItem): Decision {
    const { path, base, local } = situation;
    if (local === undefined) {
      // More is known of what both sides agreed on, and it still stands: the folder alone has changed.
      const isSame = base !== undefined && sameChange(remote.change, base.change);
      return isSame ? this.#decideFolderOnly(situation) : create(remote, undefined);
    }
    if (local.kind === 'directory') {
      return remote.content.kind === 'directory'
        ? { kind: 'adopt', path, item: remote }
        : this.#giveWay(situation, local);
    }
    const content = contentOfLocal(local);
    if (content === undefined) return local.kind === 'file' ? { kind: 'read-file', path, file: local } : 'nothing';
    if (sameState(content, remote.content)) return { kind: 'adopt', path, item: remote };
    // Where one side has only touched attributes, the other's bytes lose nothing.
    const unchanged = localChange(local, live(base)) === false || haveSameBytes(content, base?.content);
    if (remote.content.kind === 'directory') {
      return unchanged ? { kind: 'remove', path, replaces: local } : this.#keepConflict(path, local);
    }
    if (local.kind === 'file' && isFile(remote) && haveSameBytes(content, remote.content)) {
      return { kind: 'set-attributes', path, item: remote, replaces: local };
    }
    if (unchanged) return create(remote, local);
    if (haveSameBytes(remote.content, base?.content)) return this.#commit(situation, local, [remote, base]);
    return this.#commitBeside(situation, remote, local, content);
  }

  /** The namespace has a file or symlink where the folder has a directory: that gives way only where nothing is in it. */
  #giveWay(situation: Situation, local: LocalEntry): Decision {
    const { path, base } = situation;
    const below = this.#outlook(path);
    if (!below.stays && localChange(local, live(base)) === false) {
      return below.unclear ? 'wait' : { kind: 'remove', path, replaces: local };
    }
    if (this.rules.conflicts !== 'leave to others') return this.#commit(situation, local, [base]);
    return below.goes || below.unclear ? 'wait' : this.#keepConflict(path, local);
  }

  /** Both sides have changed a file or symlink, neither in the knowledge of the other. */
  #commitBeside(situation: Situation, remote: LiveItem, local: LocalEntry, content: ItemContent): Decision {
    // What the namespace could not hold beside what it has, and what it would not take, is put beside it here.
    if (this.rules.conflicts === 'leave to others' || !fitsBeside(situation, remote, content, this.rules)) {
      return this.#keepConflict(remote.path, local);
    }
    return this.#commit(situation, local, [situation.base]);
  }

  /** A conflict that waits: what the folder has done to its own side replaces that, and nothing else. */
  #keepSide(situation: Situation, remote: Item): Decision {
    const { path, base, local, isNewsToUs } = situation;
    if (localChange(local, live(base)) === false) {
      return isNewsToUs ? { kind: 'adopt', path, item: live(base) } : 'wait';
    }
    if (local === undefined) {
      if (this.#itemsBelow(path) !== 'none') return 'wait';
      return fitsBeside(situation, remote, { kind: 'deletion' }, this.rules)
        ? this.#commitDeletion(situation, [base])
        : 'wait';
    }
    const content = contentOfLocal(local);
    if (content === undefined) return local.kind === 'file' ? { kind: 'read-file', path, file: local } : 'nothing';
    return fitsBeside(situation, remote, content, this.rules) ? this.#commit(situation, local, [base]) : 'wait';
  }

  #commitDeletion(situation: Situation, seen: readonly (Item | undefined)[]): CommitItem {
    const change = { from: 'deletion', synced: live(situation.base) } as const;
    return { kind: 'commit-item', path: situation.path, offer: this.#offer(situation, seen), again: undefined, change };
  }

  /** @param seen what the folder's state was made in the knowledge of. */
  #commit(situation: Situation, entry: LocalEntry, seen: readonly (Item | undefined)[]): Decision {
    const { path, base } = situation;
    if (entry.kind !== 'directory') {
      const below = this.#itemsBelow(path);
      if (below !== 'none') return below === 'leaving' ? 'wait' : this.#keepConflict(path, entry);
    }
    const change = folderChange(entry, live(base));
    return { kind: 'commit-item', path, offer: this.#offer(situation, seen), again: undefined, change };
  }

  #offer(situation: Situation, seen: readonly (Item | undefined)[]): Offer {
    return nextOffer(situation, seen, this.rules);
  }

  #settle({ copies, item, alike }: Settlement): Decision {
    // One that is there is said again: who looks after this must find something of every side, and may not have heard of it.
    const isSaid = (copy: Item): boolean => {
      const known = this.trees.remote.get(copy.path);
      return known === undefined || !hasSeen(known, copy) || sameItem(known, copy);
    };
    const items = [...copies.filter(isSaid), item];
    const known = copies.map((copy) => copy.path).filter((path) => this.trees.remote.get(path) !== undefined);
    return { kind: 'settle', path: item.path, items, known, alike };
  }

  #keepConflict(path: ItemPath, replaces: LocalEntry): Decision {
    if (this.rules.conflicts === 'wait') return 'wait';
    const { device, replica, nowMs } = this.rules;
    const { remote, local } = this.trees;
    const isTaken = (candidate: ItemPath): boolean =>
      remote.get(candidate) !== undefined || local.get(candidate) !== undefined;
    for (let number = 1; ; number++) {
      const keptAs = conflictPath(path, { device, dateMs: nowMs, number, tag: replica.slice(0, 8) });
      if (!isTaken(keptAs)) return { kind: 'keep-conflict', path, keptAs, replaces };
    }
  }

  /**
   * Whether the namespace has anything below `path`, and if so whether all of it is what this device is about to delete, or
   * may be once a conflict is settled.
   */
  #itemsBelow(path: ItemPath): 'none' | 'leaving' | 'staying' {
    let result: 'none' | 'leaving' = 'none';
    for (const below of this.trees.remote.pathsBelow(path)) {
      if (live(this.trees.remote.get(below)) === undefined) continue;
      const decision = this.decide(below);
      if (typeof decision === 'string') return 'staying';
      const isLeaving = decision.kind === 'commit-item' && decision.change.from === 'deletion';
      if (!isLeaving && decision.kind !== 'settle') return 'staying';
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
      else if (decision.kind === 'read-file' || decision.kind === 'settle') outlook.unclear = true;
      else outlook.stays = true;
    }
    return outlook;
  }
}
