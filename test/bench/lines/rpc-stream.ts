import type { Bench, BenchLine } from '../bench-line.js';
import { startFactoryStream, startRawStream } from '../raw-stream.js';
import { median, spread, takeTurns } from '../statistics.js';

const SHARE = 0.9;

/** Blocks through our own RPC factories, 1 MiB messages, no store, beside tuned grpc-js. */
export const rpcStream: Bench = {
  name: 'rpc-stream',
  async run({ runs, largeBytes }) {
    const raw = await startRawStream(largeBytes);
    const own = await startFactoryStream(largeBytes);
    try {
      const samples = await takeTurns(runs, { rawPut: raw.put, put: own.put, rawGet: raw.get, get: own.get });
      return [
        line('raw block stream put, no store', samples.put, samples.rawPut),
        line('raw block stream get, no store', samples.get, samples.rawGet),
      ];
    } finally {
      await raw.end();
      await own.end();
    }
  },
};

function line(what: string, own: readonly number[], raw: readonly number[]): BenchLine {
  return {
    what,
    measured: median(own),
    direction: 'at least',
    limit: SHARE * median(raw),
    unit: 'MB/s',
    limitIs: `${SHARE} × tuned grpc-js`,
    notes: [`own ${spread(own)}, grpc-js ${spread(raw)}`],
  };
}
