import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMet, type Bench, type BenchLine } from './bench-line.js';
import { commits } from './lines/commits.js';
import { edits } from './lines/edits.js';
import { endToEnd } from './lines/end-to-end.js';
import { fanOut } from './lines/fan-out.js';
import { findMissing } from './lines/find-missing.js';
import { rpcStream } from './lines/rpc-stream.js';
import { smallFiles } from './lines/small-files.js';
import { transfers } from './lines/transfers.js';
import { formatTable } from './table.js';

/** In the order of the table of speeds. */
const BENCHES: readonly Bench[] = [rpcStream, transfers, endToEnd, edits, smallFiles, findMissing, commits, fanOut];

const USAGE = `usage: npm run bench -- [NAME…] [--runs N] [--large-mib N] [--dir DIR] [--json]
names: ${BENCHES.map(({ name }) => name).join(', ')}; all of them unless named`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    'large-mib': { type: 'string', default: '1024' },
    dir: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const unknown = positionals.filter((name) => BENCHES.every((bench) => bench.name !== name));
if (values.help || unknown.length > 0) {
  console.error(unknown.length > 0 ? `no bench is called ${unknown.join(', ')}\n${USAGE}` : USAGE);
  process.exit(values.help ? 0 : 2);
}

const lines: BenchLine[] = [];
const root = mkdtempSync(join(values.dir, 'drystone-bench-'));
try {
  for (const bench of BENCHES) {
    if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
    const dir = join(root, bench.name);
    mkdirSync(dir);
    const progress = (message: string): void => console.error(`${bench.name}: ${message}`);
    progress('begins');
    lines.push(
      ...(await bench.run({
        runs: Number(values.runs),
        largeBytes: Number(values['large-mib']) * 1024 * 1024,
        dir,
        progress,
      })),
    );
  }
} finally {
  // Deleting slows the disk for what comes after: nothing is deleted before the last figure is taken.
  rmSync(root, { recursive: true, force: true });
}
console.log(values.json ? JSON.stringify(lines, undefined, 2) : formatTable(lines));
process.exitCode = lines.every(isMet) ? 0 : 1;
