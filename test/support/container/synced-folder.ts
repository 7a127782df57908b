import type { FleetStatus } from '../../../cli/fleet/fleet-status.js';
import type { SyncSummary } from '../../../client/progress.js';
import type { Finding } from '../../../client/why/finding.js';
import { waitUntil } from '../wait-until.js';
import type { Program } from './programs.js';

/** Where a device in a container has its key and certificate. */
export const DEVICE_HOME = '/home/drystone/device';

/** Where a client in a container has the folder that it syncs. */
export const FOLDER = '/home/drystone/folder';

/** A folder that a client in a container keeps in sync. */
export class SyncedFolder {
  constructor(
    readonly program: Program,
    private readonly namespace: string,
  ) {}

  /** Runs a script in the folder. */
  shell(script: string): Promise<string> {
    return this.program.shell(`cd ${FOLDER} && ${script}`);
  }

  write(path: string, text: string): Promise<string> {
    return this.shell(`printf '%s' '${text}' > '${path}'`);
  }

  read(path: string): Promise<string> {
    return this.shell(`cat '${path}'`);
  }

  /** Every file with the hash of its bytes, sorted: two folders with the same text are the same. */
  listing(): Promise<string> {
    return this.shell("find . -path ./.drystone -prune -o -type f -printf '%P\\0' | sort -z | xargs -0 -r sha256sum");
  }

  /** What `drystone status` says in the folder, also where metadata is away. */
  status(): Promise<FleetStatus> {
    return this.#ask('status') as Promise<FleetStatus>;
  }

  /** What `drystone why` says of a path. */
  why(path: string): Promise<Finding> {
    return this.#ask('why', `${this.namespace}/${path}`) as Promise<Finding>;
  }

  /** What the sync said that it had done when both sides were equal last. */
  async summary(): Promise<SyncSummary> {
    const synced = (await this.program.events()).findLast(({ event }) => event === 'synced');
    return synced?.summary as SyncSummary;
  }

  async #ask(...args: string[]): Promise<unknown> {
    const { output } = await this.program.drystone(...args, '--dir', FOLDER, '--home', DEVICE_HOME, '--json');
    return JSON.parse(output);
  }
}

const PATIENCE_MS = 240_000;
/** A look into a container starts a process there: one that looks all the time keeps the machine from what it waits for. */
const INTERVAL_MS = 500;

/** {@link waitUntil}, for what is seen by looking into containers. */
export function untilSeen<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
  return waitUntil(what, probe, PATIENCE_MS, INTERVAL_MS);
}

/** Waits until all folders hold the same files; what that is. */
export async function untilAlike(folders: readonly SyncedFolder[], atLeast: readonly string[]): Promise<string> {
  return untilSeen('all folders are alike', async () => {
    let listing: string | undefined;
    for (const folder of folders) {
      const found = await folder.listing();
      if (!atLeast.every((name) => found.includes(name)) || found !== (listing ?? found)) return false;
      listing = found;
    }
    return listing;
  });
}
