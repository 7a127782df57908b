import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;
const PATIENCE_MS = 300_000;

/**
 * Waits until `target` has the size and the time of `source`. A client renames a whole file into place and sets its time
 * before that, so then it is complete; {@link expectSame} proves it when the clock has stopped.
 */
export async function untilArrived(source: string, target: string): Promise<void> {
  const { size, mtimeMs } = statSync(source);
  await poll(`${target} has arrived`, () => {
    const found = statSync(target, { throwIfNoEntry: false });
    return found?.size === size && Math.floor(found.mtimeMs) === Math.floor(mtimeMs);
  });
}

/** Waits until the directories below `root`, one level deep, hold `count` files together. */
export async function untilCount(root: string, count: number): Promise<void> {
  await poll(`${count} files are in ${root}`, () => {
    try {
      return readdirSync(root).reduce((sum, name) => sum + readdirSync(`${root}/${name}`).length, 0) >= count;
    } catch {
      return false;
    }
  });
}

/** Fails unless two files have the same bytes. */
export async function expectSame(a: string, b: string): Promise<void> {
  if ((await digestOf(a)) !== (await digestOf(b))) throw new Error(`${a} and ${b} differ`);
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), digest);
  return digest.digest('hex');
}

async function poll(what: string, isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!isDone()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(POLL_MS);
  }
}
