/** How large a group may become. A job that is larger makes a group of its own. */
export interface GroupLimits {
  readonly bytes: number;
  readonly blocks: number;
}

interface Member<Job, Outcome> {
  readonly job: Job;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Group<Job, Outcome> {
  readonly members: Member<Job, Outcome>[];
  bytes: number;
  blocks: number;
}

/**
 * Lets many writers share one transaction and one sync. While a group is being written the next one fills, so the group's
 * size follows the disk: an idle store writes at once, a busy one writes much with each sync.
 *
 * Groups are written one at a time, in the order of their jobs. A group that fails fails all of its jobs and no other.
 */
export class GroupCommit<Job, Outcome> {
  readonly #groups: Group<Job, Outcome>[] = [];
  #isWriting = false;

  /** @param write makes all jobs of a group durable, together or not at all, and returns an outcome for each in order. */
  constructor(
    readonly limits: GroupLimits,
    readonly write: (jobs: readonly Job[]) => Promise<readonly Outcome[]>,
  ) {}

  /** Adds a job of this size; resolves with its outcome once its group is durable, rejects with what `write` threw. */
  add(job: Job, bytes: number, blocks: number): Promise<Outcome> {
    const group = this.#groupFor(bytes, blocks);
    group.bytes += bytes;
    group.blocks += blocks;
    const outcome = new Promise<Outcome>((resolve, reject) => group.members.push({ job, resolve, reject }));
    if (!this.#isWriting) {
      this.#isWriting = true;
      // What else arrives in this turn of the event loop joins the first group.
      setImmediate(() => void this.#writeGroups());
    }
    return outcome;
  }

  #groupFor(bytes: number, blocks: number): Group<Job, Outcome> {
    const last = this.#groups.at(-1);
    if (last !== undefined && last.bytes + bytes <= this.limits.bytes && last.blocks + blocks <= this.limits.blocks) {
      return last;
    }
    const group: Group<Job, Outcome> = { members: [], bytes: 0, blocks: 0 };
    this.#groups.push(group);
    return group;
  }

  async #writeGroups(): Promise<void> {
    for (let group = this.#groups.shift(); group !== undefined; group = this.#groups.shift()) {
      const { members } = group;
      try {
        const outcomes = await this.write(members.map(({ job }) => job));
        members.forEach(({ resolve }, index) => resolve(outcomes[index] as Outcome));
      } catch (error) {
        for (const { reject } of members) reject(error);
      }
    }
    this.#isWriting = false;
  }
}
