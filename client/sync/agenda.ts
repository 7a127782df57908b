import type { ItemPath } from '../../common/feed/item.js';
import { clientLimits } from '../../common/limits.js';
import type { RoundResult } from '../act/round.js';

/** What is to be planned and looked at next, from what plans and rounds have left over. */
export class Agenda {
  /** To be planned. */
  readonly #due = new Set<ItemPath>();
  /** To be planned along with whatever is due next: nothing can be done about them alone. */
  readonly #deferred = new Set<ItemPath>();
  /** To be planned when the folder has changed: the file system refused them as things were. */
  readonly #refused = new Set<ItemPath>();
  /** To be planned when some time has passed. */
  readonly #later = new Set<ItemPath>();
  readonly #lookAgain = new Set<ItemPath>();
  /** How often in a row each path was not as it had just been seen. */
  readonly #unstable = new Map<ItemPath, number>();
  readonly #dropped = new Set<ItemPath>();

  /** Whether there is something to plan or to look at now. */
  get isDue(): boolean {
    return this.#due.size > 0 || this.#lookAgain.size > 0;
  }

  /** Whether something waits for its time. */
  get isLater(): boolean {
    return this.#later.size > 0;
  }

  add(paths: Iterable<ItemPath>): void {
    for (const path of paths) if (!this.#dropped.has(path)) this.#due.add(path);
  }

  /** The folder has changed: what it refused it may allow now. */
  retryRefused(): void {
    this.#moveToDue(this.#refused);
  }

  /** Something was done, or is other than it was, that what was deferred may have waited for. */
  retryDeferred(): void {
    this.#moveToDue(this.#deferred);
  }

  /** The time has come for what failed. */
  retryLater(): void {
    this.#moveToDue(this.#later);
  }

  /** The paths to plan now; they are taken off. */
  takeScope(): Set<ItemPath> {
    const scope = new Set([...this.#due, ...(this.#due.size > 0 ? this.#deferred : [])]);
    if (scope.size > 0) this.#deferred.clear();
    this.#due.clear();
    return scope;
  }

  /** The paths to look at again; they are taken off. */
  takeLookAgain(): Set<ItemPath> {
    const paths = new Set(this.#lookAgain);
    this.#lookAgain.clear();
    return paths;
  }

  defer(paths: Iterable<ItemPath>): void {
    for (const path of paths) this.#deferred.add(path);
  }

  /** Takes in what a round left; returns the paths that keep changing, which are now for later. */
  absorb({
    again,
    lookAgain,
    refused,
    later,
  }: Pick<RoundResult, 'again' | 'lookAgain' | 'refused' | 'later'>): ItemPath[] {
    this.add(again);
    for (const path of refused) this.#refused.add(path);
    for (const path of later) this.#later.add(path);
    const restless: ItemPath[] = [];
    for (const path of [...this.#unstable.keys()]) if (!lookAgain.has(path)) this.#unstable.delete(path);
    for (const path of lookAgain) {
      const attempts = (this.#unstable.get(path) ?? 0) + 1;
      this.#unstable.set(path, attempts);
      this.#lookAgain.add(path);
      this.#due.add(path);
      if (attempts < clientLimits.unstableFileAttempts) continue;
      this.#unstable.delete(path);
      this.#due.delete(path);
      this.#later.add(path);
      restless.push(path);
    }
    return restless;
  }

  /** Gives up on what waits for its time, for good, or what never rests would be taken up for ever; returns it. */
  dropLater(): ItemPath[] {
    const dropped = [...this.#later];
    for (const path of dropped) this.#dropped.add(path);
    this.#later.clear();
    return dropped;
  }

  #moveToDue(paths: Set<ItemPath>): void {
    this.add(paths);
    paths.clear();
  }
}
