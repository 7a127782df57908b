import type { Bench, BenchLine } from '../bench-line.js';
import { startFactoryStream, startRawStream } from '../raw-stream.js';
import { median, spread, takeTurns } from '../statistics.js';
import { createStreamIdentities } from '../subject/stream-identities.js';

/** What common/rpc has to reach of grpc-js with the same windows and nothing around it, without TLS and with it. */
const SHARE = 0.9;
const TLS_SHARE = 0.8;

/** Blocks through our own RPC factories, 1 MiB messages, no store, beside tuned grpc-js. */
export const rpcStream: Bench = {
  name: 'rpc-stream',
  async run({ runs, largeBytes, dir }) {
    await createStreamIdentities(dir);
    return [
      ...(await measure({ runs, largeBytes, identityDir: undefined, share: SHARE })),
      ...(await measure({ runs, largeBytes, identityDir: dir, share: TLS_SHARE })),
    ];
  },
};

interface Measurement {
  readonly runs: number;
  readonly largeBytes: number;
  readonly identityDir: string | undefined;
  readonly share: number;
}

async function measure({ runs, largeBytes, identityDir, share }: Measurement): Promise<BenchLine[]> {
  const raw = await startRawStream(largeBytes, identityDir);
  const own = await startFactoryStream(largeBytes, identityDir);
  const kind = identityDir === undefined ? 'raw' : 'mutual TLS';
  try {
    const samples = await takeTurns(runs, { rawPut: raw.put, put: own.put, rawGet: raw.get, get: own.get });
    return [
      line(`${kind} block stream put, no store`, samples.put, samples.rawPut, share),
      line(`${kind} block stream get, no store`, samples.get, samples.rawGet, share),
    ];
  } finally {
    await raw.end();
    await own.end();
  }
}

function line(what: string, own: readonly number[], raw: readonly number[], share: number): BenchLine {
  return {
    what,
    measured: median(own),
    direction: 'at least',
    limit: share * median(raw),
    unit: 'MB/s',
    limitIs: `${share} × tuned grpc-js`,
    notes: [`own ${spread(own)}, grpc-js ${spread(raw)}`],
  };
}
