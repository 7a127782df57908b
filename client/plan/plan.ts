import type { ItemPath } from '../../common/feed/item.js';
import { parentPath } from '../../common/feed/paths.js';
import type { Trees } from '../state/tree-store.js';
import { Decider, type Decision } from './decide.js';
import { live } from './difference.js';
import { pairMoves, replacedTooEarly, type AwaitedFile } from './moves.js';
import type { Operation } from './operation.js';
import { inOrder } from './order.js';
import type { PlanRules } from './situation.js';

/** What is to be done now. */
export interface Plan {
  /** At most one operation a path, in an order in which they can be carried out. */
  readonly operations: readonly Operation[];
  /** Paths about which nothing can be done until these operations are; they belong into the next plan. */
  readonly deferred: ReadonlySet<ItemPath>;
}

/**
 * The steps that bring folder and namespace together, as far as the trees tell and as far as they can be taken at once:
 * a plan for what the trees say afterwards takes the next ones. When a plan is empty, the two agree.
 *
 * `scope` names the paths that have changed since they were last planned, and those that were deferred; what they touch
 * (parents that are missing, directories that empty) is drawn in. Pure, and quick where the scope is small.
 */
export function plan(trees: Trees, scope: Iterable<ItemPath>, rules: PlanRules): Plan {
  return new Planning(trees, rules).run(scope);
}

/** Every path that any of the trees knows: the scope of a plan that starts from nothing. */
export function everyPath({ remote, local, synced }: Trees): Set<ItemPath> {
  return new Set([...remote.pathsBelow(''), ...local.pathsBelow(''), ...synced.pathsBelow('')]);
}

/** One run of the planner. */
class Planning {
  readonly #decider: Decider;
  readonly #operations = new Map<ItemPath, Operation>();
  readonly #deferred = new Set<ItemPath>();
  /** Grows while it is iterated: a set hands out what is added on the way. */
  readonly #scope = new Set<ItemPath>();

  constructor(
    private readonly trees: Trees,
    rules: PlanRules,
  ) {
    this.#decider = new Decider(trees, rules);
  }

  run(scope: Iterable<ItemPath>): Plan {
    for (const path of scope) this.#scope.add(path);
    for (const path of this.#scope) this.#consider(path);
    this.#deferBelowConflicts();
    pairMoves(this.#operations);
    for (const path of replacedTooEarly(this.#operations, this.#awaited())) {
      this.#defer(path);
      // What stays for now keeps the directories that it lies in.
      for (let above = parentPath(path); above !== undefined; above = parentPath(above)) {
        if (this.#operations.get(above)?.kind === 'remove') this.#defer(above);
      }
    }
    return { operations: inOrder(this.#operations.values()), deferred: this.#deferred };
  }

  /** The files that are to come to new paths once something above them is out of the way. */
  #awaited(): AwaitedFile[] {
    const { remote, local } = this.trees;
    return [...this.#deferred].flatMap((path) => {
      const content = local.get(path) === undefined ? remote.get(path)?.content : undefined;
      return content?.kind === 'file' ? [{ path, content }] : [];
    });
  }

  #consider(path: ItemPath): void {
    const decision = this.#decider.decide(path);
    const obstacle = this.#obstacleAbove(path, decision);
    if (obstacle !== undefined && this.#decider.suspect(obstacle)) {
      this.#scope.delete(obstacle);
      this.#scope.add(obstacle);
    }
    if (decision === 'nothing') return;
    if (decision === 'wait' || obstacle !== undefined) {
      this.#deferred.add(path);
      if (decision === 'wait') this.#drawInBelow(path);
      return;
    }
    if (decision.kind === 'remove' && decision.replaces.kind === 'directory') this.#drawInBelow(path);
    if (createsEntry(decision)) this.#makeParents(path);
    this.#operations.set(path, decision);
  }

  /** A path above `path` that has to become a directory before the decision can be carried out. */
  #obstacleAbove(path: ItemPath, decision: Decision): ItemPath | undefined {
    if (typeof decision === 'string' || !needsParent(decision)) return undefined;
    const creates = createsEntry(decision);
    for (let above = parentPath(path); above !== undefined; above = parentPath(above)) {
      const remote = live(this.trees.remote.get(above));
      if (remote !== undefined && remote.content.kind !== 'directory') return above;
      const local = this.trees.local.get(above);
      if (creates && local !== undefined && local.kind !== 'directory') return above;
    }
    return undefined;
  }

  #makeParents(path: ItemPath): void {
    for (let above = parentPath(path); above !== undefined; above = parentPath(above)) {
      if (this.trees.local.get(above) !== undefined || this.#operations.get(above)?.kind === 'make-directory') return;
      const decision = this.#decider.decide(above);
      const isMade = typeof decision === 'object' && decision.kind === 'make-directory';
      this.#operations.set(above, isMade ? decision : { kind: 'make-directory', path: above, item: undefined });
    }
  }

  #drawInBelow(path: ItemPath): void {
    for (const below of this.trees.local.pathsBelow(path)) this.#scope.add(below);
    for (const below of this.trees.remote.pathsBelow(path)) this.#scope.add(below);
  }

  /** What lies below a directory that is about to get another name is planned under that name, in the next plan. */
  #deferBelowConflicts(): void {
    const renamed = new Set<ItemPath>();
    for (const { kind, path } of this.#operations.values()) if (kind === 'keep-conflict') renamed.add(path);
    if (renamed.size === 0) return;
    for (const path of [...this.#operations.keys()]) {
      for (let above = parentPath(path); above !== undefined; above = parentPath(above)) {
        if (renamed.has(above)) this.#defer(path);
      }
    }
  }

  #defer(path: ItemPath): void {
    this.#operations.delete(path);
    this.#deferred.add(path);
  }
}

/** Whether an operation makes sense only where the namespace has a directory, or nothing yet, above the path. */
function needsParent(operation: Operation): boolean {
  return createsEntry(operation) || (operation.kind === 'commit-item' && operation.change.from !== 'deletion');
}

function createsEntry(operation: Operation): boolean {
  return operation.kind === 'fetch-file' || operation.kind === 'make-directory' || operation.kind === 'make-symlink';
}
