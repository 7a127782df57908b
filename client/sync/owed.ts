import type { ItemPath } from '../../common/feed/item.js';
import type { Standing } from '../upstream/standing.js';

/** What of the provisional is to be said now, to whoever takes changes: all of it to metadata, or what an agent has not heard. */
export class Owed {
  readonly #toAgent = new Set<ItemPath>();

  constructor(private readonly standing: Pick<Standing, 'mode' | 'isProvisionalDue'>) {}

  /** The agent that stands in has not been told these. */
  toAgent(paths: Iterable<ItemPath>): void {
    for (const path of paths) this.#toAgent.add(path);
  }

  /** Whether metadata is there, and agents still have the time to tell it what they took. */
  get isAwaited(): boolean {
    const { mode, isProvisionalDue } = this.standing;
    return mode === 'online' && !isProvisionalDue;
  }

  /** Whether what is provisional of the path is to be said now. */
  isDue(path: ItemPath): boolean {
    const { mode, isProvisionalDue } = this.standing;
    return isProvisionalDue || (mode === 'agent' && this.#toAgent.has(path));
  }

  /** It was said, or is no more to be said. */
  said(path: ItemPath): void {
    this.#toAgent.delete(path);
  }
}
