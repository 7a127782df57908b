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

/** Groups handed to the writer at once: the one that it writes, and the one that it begins without having to ask. */
const GROUPS_WRITING = 2;

/**
 * Lets many writers share one transaction and one sync. While a group is being written the next one fills, so the group's
 * size follows the disk: an idle store writes at once, a busy one writes much with each sync.
 *
 * Groups are handed to `write` in the order of their jobs. One that is full is handed over while the one before it is still
 * being written; no more than two are. A group that fails fails all of its jobs and no other.
 */
export class GroupCommit<Job, Outcome> {
  /** The last is filling, those before it are full. */
  readonly #groups: Group<Job, Outcome>[] = [];
  #writing = 0;
  #isStarting = false;

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
    if (!this.#isStarting) {
      this.#isStarting = true;
      // What else arrives in this turn of the event loop joins the group.
      setImmediate(() => {
        this.#isStarting = false;
        this.#start();
      });
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

  #start(): void {
    while (this.#writing === 0 || (this.#writing < GROUPS_WRITING && this.#groups.length > 1)) {
      const group = this.#groups.shift();
      if (group === undefined) return;
      this.#writing++;
      void this.#write(group).then(() => {
        this.#writing--;
        this.#start();
      });
    }
  }

  async #write({ members }: Group<Job, Outcome>): Promise<void> {
    try {
      const outcomes = await this.write(members.map(({ job }) => job));
      members.forEach(({ resolve }, index) => resolve(outcomes[index] as Outcome));
    } catch (error) {
      for (const { reject } of members) reject(error);
    }
  }
}
