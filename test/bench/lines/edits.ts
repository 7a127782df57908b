import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expectSame, untilArrived } from '../arrival.js';
import { startRsync, type RsyncPeer } from '../baseline/rsync.js';
import type { Bench, BenchLine } from '../bench-line.js';
import { copyWithByteInserted, copyWithBytesChanged, warm, writeLargeFile } from '../large-file.js';
import { rsyncLine } from '../rsync-line.js';
import { median, secondsOf, spread } from '../statistics.js';
import { startWatchingPair, type WatchingPair } from '../watching-pair.js';

const NAME = 'large.bin';
const CHANGED_BYTES = 64;

/** An edit of the large file that both sides have, and what it may cost. */
interface Edit {
  readonly what: string;
  readonly factor: number;
  readonly wireLimitMb: number;
  make(source: string, target: string, run: number): void;
}

const EDITS: readonly Edit[] = [
  { what: 'one byte inserted at the start', factor: 0.5, wireLimitMb: 4, make: copyWithByteInserted },
  {
    what: `${CHANGED_BYTES} single bytes changed`,
    factor: 0.8,
    wireLimitMb: 48,
    make: (source, target, run) => copyWithBytesChanged(source, target, CHANGED_BYTES, `edit ${run}`),
  },
];

interface Samples {
  readonly own: number[];
  readonly rsync: number[];
  readonly wireMb: number[];
}

/** Small edits of a large file that is in both folders; clients reach the servers through proxies that count. */
export const edits: Bench = {
  name: 'edits',
  async run({ runs, largeBytes, dir, progress }) {
    const pair = await startWatchingPair(dir, 'proxied');
    const rsync = await startRsync(dir);
    const samples = EDITS.map((): Samples => ({ own: [], rsync: [], wireMb: [] }));
    const staging = join(dir, 'staging');
    const rsyncSource = join(dir, 'rsync-source');
    mkdirSync(staging);
    mkdirSync(rsyncSource);
    try {
      progress('both sides get the file');
      writeLargeFile(join(staging, NAME), largeBytes, 'edits');
      copyFileSync(join(staging, NAME), join(rsyncSource, NAME));
      renameSync(join(staging, NAME), join(pair.a, NAME));
      await untilArrived(join(pair.a, NAME), join(pair.b, NAME));
      if (rsync !== 'not installed') await rsync.copy(rsyncSource, 'edits');
      for (let run = 0; run < runs; run++) {
        for (const [index, edit] of EDITS.entries()) {
          progress(`${edit.what}, round ${run + 1} of ${runs}`);
          edit.make(join(pair.a, NAME), join(staging, NAME), run);
          await measure(pair, staging, { peer: rsync, source: rsyncSource }, samples[index]);
        }
      }
    } finally {
      await pair.fleet.endAll();
      if (rsync !== 'not installed') await rsync.end();
    }
    return EDITS.flatMap((edit, index) => linesOf(edit, samples[index]));
  },
};

async function measure(
  pair: WatchingPair,
  staging: string,
  rsync: { readonly peer: RsyncPeer | 'not installed'; readonly source: string },
  samples: Samples | undefined,
): Promise<void> {
  const edited = join(staging, NAME);
  const { peer } = rsync;
  if (peer !== 'not installed') {
    copyFileSync(edited, join(rsync.source, NAME));
    samples?.rsync.push(await secondsOf(() => peer.copy(rsync.source, 'edits')));
  }
  warm(edited);
  warm(join(pair.b, NAME));
  const wireBefore = pair.wireBytes();
  const seconds = await secondsOf(async () => {
    renameSync(edited, join(pair.a, NAME));
    await untilArrived(join(pair.a, NAME), join(pair.b, NAME));
  });
  samples?.own.push(seconds);
  const { up, down } = pair.wireBytes();
  // One client only sends and the other only receives, but for what is small: each has its own line to the agent.
  samples?.wireMb.push(Math.max(up - wireBefore.up, down - wireBefore.down) / 1e6);
  await expectSame(join(pair.a, NAME), join(pair.b, NAME));
}

function linesOf(edit: Edit, samples: Samples | undefined): BenchLine[] {
  if (samples === undefined) return [];
  const wire: BenchLine = {
    what: `${edit.what}: on the wire of either client`,
    measured: median(samples.wireMb),
    direction: 'at most',
    limit: edit.wireLimitMb,
    unit: 'MB',
    limitIs: 'fixed',
    notes: [spread(samples.wireMb)],
  };
  return [rsyncLine(edit.what, samples, edit.factor), wire];
}
