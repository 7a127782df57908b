import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderDifferences } from '../../support/compare-trees.js';
import { seededRandom } from '../../support/seeded-random.js';
import { untilCount } from '../arrival.js';
import { startRsync } from '../baseline/rsync.js';
import type { Bench } from '../bench-line.js';
import { rsyncLine } from '../rsync-line.js';
import { median, secondsOf, spread } from '../statistics.js';
import { startWatchingPair } from '../watching-pair.js';

const FILES = 10_000;
const FILE_BYTES = 4096;
const DIRECTORIES = 100;
const FACTOR = 0.8;
const RESTART_LIMIT_S = 1;

/** Many small files: end to end between two clients that watch, and a restart with nothing to do. */
export const smallFiles: Bench = {
  name: 'small-files',
  async run({ runs, dir, progress }) {
    const samples = { own: [] as number[], rsync: [] as number[] };
    const restarts: number[] = [];
    const rsync = await startRsync(dir);
    try {
      for (let run = 0; run < runs; run++) {
        progress(`round ${run + 1} of ${runs}`);
        const tree = join(dir, `tree-${run}`, 'files');
        writeFiles(tree, `small files ${run}`);
        if (rsync !== 'not installed') {
          cpSync(tree, join(dir, `rsync-${run}`), { recursive: true, preserveTimestamps: true });
          settleDisk();
          samples.rsync.push(await secondsOf(() => rsync.copy(join(dir, `rsync-${run}`), `run-${run}`, ['--fsync'])));
        }
        settleDisk();
        const round = await measureRound(dir, tree);
        samples.own.push(round.endToEnd);
        restarts.push(round.restart);
      }
    } finally {
      if (rsync !== 'not installed') await rsync.end();
    }
    return [
      rsyncLine(`${FILES} files of ${FILE_BYTES / 1024} KiB end to end (rsync with --fsync)`, samples, FACTOR),
      {
        what: `no change in ${FILES} files, client restarted with --once`,
        measured: median(restarts),
        direction: 'at most',
        limit: RESTART_LIMIT_S,
        unit: 's',
        limitIs: 'fixed',
        notes: [spread(restarts)],
      },
    ];
  },
};

async function measureRound(dir: string, tree: string): Promise<{ endToEnd: number; restart: number }> {
  const pair = await startWatchingPair(dir, 'direct');
  try {
    const endToEnd = await secondsOf(async () => {
      renameSync(tree, join(pair.a, 'files'));
      await untilCount(join(pair.b, 'files'), FILES);
    });
    await Promise.all(
      pair.clients.map((client) => client.event('that it is in sync', ({ event }) => event === 'synced')),
    );
    await Promise.all(pair.clients.map((client) => client.end('SIGTERM')));
    const [difference] = folderDifferences(pair.a, pair.b);
    if (difference !== undefined) throw new Error(`the folders differ: ${difference}`);
    const restart = await secondsOf(() => pair.fleet.syncOnce('a', 'bench'));
    return { endToEnd, restart };
  } finally {
    await pair.fleet.endAll();
  }
}

function writeFiles(root: string, seed: string): void {
  const random = seededRandom(seed);
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    mkdirSync(join(root, `directory ${directory}`), { recursive: true });
    for (let file = 0; file < FILES / DIRECTORIES; file++) {
      writeFileSync(join(root, `directory ${directory}`, `file ${file}.bin`), random.bytes(FILE_BYTES));
    }
  }
}

/** Waits until what was written before is on disk: whoever is measured next shall not pay for it. */
function settleDisk(): void {
  execFileSync('sync');
}
