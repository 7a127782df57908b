import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Fleet, type Finished } from '../../support/fleet.js';
import { expectSame } from '../arrival.js';
import { putDurably } from '../baseline/durable-lmdb.js';
import type { Bench, BenchOptions } from '../bench-line.js';
import { blocksOf, warm, writeLargeFile } from '../large-file.js';
import { startRawStream } from '../raw-stream.js';
import { median, secondsOf, spread } from '../statistics.js';

const PUT_SHARE = 0.35;
const STORE_SHARE = 0.8;
const GET_SHARE = 0.35;
const MB = 1e6;

/** A large file up to an agent and down from it, each by a client that starts, syncs and ends. */
export const transfers: Bench = {
  name: 'transfers',
  async run(options) {
    const { runs, largeBytes, dir, progress } = options;
    const fleet = new Fleet('direct', dir);
    await fleet.startMetadata();
    await fleet.admitDevices(2 * runs);
    await fleet.startAgent();
    const raw = await startRawStream(largeBytes);
    const samples = { rawPut: [], rawGet: [], store: [], upload: [], download: [] } as Record<string, number[]>;
    const take = (name: string, rate: number): void => void samples[name]?.push(rate);
    try {
      for (let run = 0; run < runs; run++) {
        progress(`round ${run + 1} of ${runs}`);
        take('rawPut', await raw.put());
        take('store', await storeRate(options, join(fleet.folder(`a${run}`), 'large.bin'), run));
        await fleet.createNamespace(`run-${run}`, 1);
        take('upload', await syncRate(fleet, `a${run}`, run, largeBytes));
        take('rawGet', await raw.get());
        take('download', await syncRate(fleet, `b${run}`, run, largeBytes));
        await expectSame(join(fleet.folder(`a${run}`), 'large.bin'), join(fleet.folder(`b${run}`), 'large.bin'));
      }
    } finally {
      await raw.end();
      await fleet.endAll();
    }
    return linesOf(samples);
  },
};

/** Writes the file that is then uploaded, and puts its blocks into a bare store; MB/s of the latter. */
async function storeRate({ dir, largeBytes }: BenchOptions, path: string, run: number): Promise<number> {
  writeLargeFile(path, largeBytes, `transfers ${run}`);
  const blocks = await blocksOf(path);
  const bare = join(dir, `bare-${run}`);
  mkdirSync(bare);
  return largeBytes / MB / (await secondsOf(() => putDurably(bare, blocks)));
}

async function syncRate(fleet: Fleet, folder: string, run: number, sizeBytes: number): Promise<number> {
  if (folder.startsWith('a')) warm(join(fleet.folder(folder), 'large.bin'));
  let finished: Finished | undefined;
  const seconds = await secondsOf(async () => (finished = await fleet.syncOnce(folder, `run-${run}`)));
  if (finished?.code !== 0) throw new Error(`a sync failed:\n${finished?.log}`);
  return sizeBytes / MB / seconds;
}

function linesOf(samples: Readonly<Record<string, number[]>>) {
  const { rawPut = [], rawGet = [], store = [], upload = [], download = [] } = samples;
  const byWire = PUT_SHARE * median(rawPut);
  const byStore = STORE_SHARE * median(store);
  return [
    {
      what: 'cold upload, client → agent, hashed twice, on disk',
      measured: median(upload),
      direction: 'at least' as const,
      limit: Math.min(byWire, byStore),
      unit: 'MB/s',
      limitIs: byWire < byStore ? `${PUT_SHARE} × raw put` : `${STORE_SHARE} × bare LMDB`,
      notes: [
        `own ${spread(upload)}, raw put ${spread(rawPut)}, bare durable LMDB ${spread(store)}; the client's start counts`,
      ],
    },
    {
      what: 'cold download, agent → client, verified, on disk',
      measured: median(download),
      direction: 'at least' as const,
      limit: GET_SHARE * median(rawGet),
      unit: 'MB/s',
      limitIs: `${GET_SHARE} × raw get`,
      notes: [`own ${spread(download)}, raw get ${spread(rawGet)}; the client's start counts`],
    },
  ];
}
