import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

/** A block as the store is given it. */
export interface StoredBlock {
  readonly hash: Buffer;
  readonly data: Buffer;
}

/** LMDB with nothing around it: what stores are measured against. */
const OPTIONS = { encoding: 'binary', keyEncoding: 'binary', overlappingSync: false } as const;
const BATCH = 16;

/** Puts `blocks` into a new environment in `dir`, batch by batch, and waits until they are on disk. */
export async function putDurably(dir: string, blocks: readonly StoredBlock[]): Promise<void> {
  const database = openBare(dir);
  for (let start = 0; start < blocks.length; start += BATCH) {
    await Promise.all(blocks.slice(start, start + BATCH).map(({ hash, data }) => database.put(hash, data)));
  }
  await database.flushed;
  await database.close();
}

/** Known keys, to be asked for in the same process. */
export interface KnownKeys {
  /** How many of `keys` are not there. */
  countMissing(keys: readonly Buffer[]): number;
  close(): Promise<void>;
}

/** A new environment in `dir` that knows `keys`. */
export async function knowKeys(dir: string, keys: readonly Buffer[]): Promise<KnownKeys> {
  const database = openBare(dir);
  const value = Buffer.alloc(1);
  for (let start = 0; start < keys.length; start += 10_000) {
    await Promise.all(keys.slice(start, start + 10_000).map((key) => database.put(key, value)));
  }
  return {
    countMissing(asked) {
      let missing = 0;
      for (const key of asked) if (!database.doesExist(key)) missing++;
      return missing;
    },
    close: () => database.close(),
  };
}

function openBare(dir: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({ path: join(dir, 'bare.mdb'), ...OPTIONS });
}
