import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expectSame, untilArrived } from '../arrival.js';
import { startRsync } from '../baseline/rsync.js';
import type { Bench, BenchLine } from '../bench-line.js';
import { warm, writeLargeFile } from '../large-file.js';
import { watchMemory } from '../memory.js';
import { rsyncLine } from '../rsync-line.js';
import { secondsOf } from '../statistics.js';
import { startWatchingPair } from '../watching-pair.js';

const FACTOR = 3;
const ENDPOINT_LIMIT_MB = 300;
const METADATA_LIMIT_MB = 500;

/** A large file appears in folder A; the clock stops when it is in folder B. Both clients watch already. */
export const endToEnd: Bench = {
  name: 'end-to-end',
  async run({ runs, largeBytes, dir, progress }) {
    const pair = await startWatchingPair(dir, 'direct');
    const rsync = await startRsync(dir);
    const memory = watchMemory(pair.pids);
    const samples = { own: [] as number[], rsync: [] as number[] };
    try {
      for (let run = 0; run < runs; run++) {
        progress(`round ${run + 1} of ${runs}`);
        const staging = join(dir, `staging-${run}`);
        const name = `large-${run}.bin`;
        mkdirSync(staging);
        writeLargeFile(join(staging, name), largeBytes, `end to end ${run}`);
        if (rsync !== 'not installed') {
          warm(join(staging, name));
          samples.rsync.push(await secondsOf(() => rsync.copy(staging, `run-${run}`)));
        }
        warm(join(staging, name));
        const seconds = await secondsOf(async () => {
          renameSync(join(staging, name), join(pair.a, name));
          await untilArrived(join(pair.a, name), join(pair.b, name));
        });
        samples.own.push(seconds);
        await expectSame(join(pair.a, name), join(pair.b, name));
      }
    } finally {
      memory.stop();
      await pair.fleet.endAll();
      if (rsync !== 'not installed') await rsync.end();
    }
    return [
      rsyncLine('large file end to end, both clients watching', samples, FACTOR),
      ...[...memory.peaks].map(([who, bytes]) => memoryLine(who, bytes)),
    ];
  },
};

function memoryLine(who: string, bytes: number): BenchLine {
  return {
    what: `anonymous memory of ${who}, peak`,
    measured: bytes / 1e6,
    direction: 'at most',
    limit: who === 'metadata' ? METADATA_LIMIT_MB : ENDPOINT_LIMIT_MB,
    unit: 'MB',
    limitIs: 'fixed',
  };
}
