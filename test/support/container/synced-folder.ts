import { waitUntil } from '../wait-until.js';
import type { Program } from './programs.js';

/** Where a client in a container has the folder that it syncs. */
export const FOLDER = '/home/drystone/folder';

/** A folder that a client in a container keeps in sync. */
export class SyncedFolder {
  constructor(readonly program: Program) {}

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
}

const PATIENCE_MS = 120_000;

/** Waits until all folders hold the same files; what that is. */
export async function untilAlike(folders: readonly SyncedFolder[], atLeast: readonly string[]): Promise<string> {
  return waitUntil(
    'all folders are alike',
    async () => {
      const [first = '', ...others] = await Promise.all(folders.map((folder) => folder.listing()));
      return others.every((other) => other === first) && atLeast.every((name) => first.includes(name)) && first;
    },
    PATIENCE_MS,
  );
}
