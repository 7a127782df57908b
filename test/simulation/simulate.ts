import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { plantedFaults } from './faults/index.js';
import { runSeed, type SeedResult } from './run-seed.js';

/** Each planted fault must be found within so many seeds. */
const SEEDS_FOR_A_FAULT = 400;
const PROGRESS_MS = 5_000;
const PROBLEMS_SHOWN = 8;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    from: { type: 'string' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    faults: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    step: { type: 'string' },
    peers: { type: 'string', default: 'no' },
    fault: { type: 'string' },
  },
});
const from = wholeNumber('from', values.from ?? String(Math.floor(Date.now() / 1000)));
const minutes = values.minutes === undefined ? Infinity : wholeNumber('minutes', values.minutes);
const count = wholeNumber('seeds', values.seeds ?? (minutes === Infinity ? '1000' : '1000000'));
const peers = values.peers === 'some' ? 'some' : values.peers === 'yes';
const endMs = performance.now() + minutes * 60_000;

if (values.step !== undefined) await runSome(wholeNumber('step', values.step));
else if (values.faults) await findFaults();
else if (values.trace) await show(from);
else await runAll(wholeNumber('jobs', values.jobs));

/** Runs every `step`-th seed and tells the process that has started this one what became of it. */
async function runSome(step: number): Promise<void> {
  for (let seed = from; seed < from + count && performance.now() < endMs; seed += step) {
    const { lastLines: _, ...result } = await runSeed(seed, { peers });
    process.send?.(result);
  }
  process.disconnect();
}

async function runAll(jobs: number): Promise<void> {
  const goal = minutes === Infinity ? `${count} seeds` : `for ${minutes} minutes`;
  console.log(`simulating ${goal} from ${from} with ${jobs} processes, at commit ${commit()}`);
  const beganMs = performance.now();
  const failures: number[] = [];
  let done = 0;
  let events = 0;
  let [withPeers, deserted, desertions, blocksGiven] = [0, 0, 0, 0];
  const tell = (): void => {
    const seconds = (performance.now() - beganMs) / 1000;
    const rate = `${(done / seconds).toFixed(1)} seeds and ${Math.round(events / seconds)} events a second`;
    console.log(`${done} seeds, ${failures.length} failed, ${rate}`);
  };
  const ticking = setInterval(tell, PROGRESS_MS);
  await Promise.all(
    Array.from({ length: jobs }, (_, index) => {
      const part = ['--from', String(from + index), '--seeds', String(count - index), '--step', String(jobs)];
      part.push('--peers', values.peers);
      const rest = minutes === Infinity ? part : [...part, '--minutes', String(minutes)];
      const child = fork(import.meta.filename, rest, { execArgv: ['--enable-source-maps'] });
      child.on('message', (message) => {
        const result = message as Omit<SeedResult, 'lastLines'>;
        done++;
        events += result.events;
        if (result.hasPeers) withPeers++;
        if (result.desertions > 0) deserted++;
        desertions += result.desertions;
        blocksGiven += result.blocksGiven;
        if (result.problems.length > 0) failures.push(result.seed);
        report(result);
      });
      return exited(child);
    }),
  );
  clearInterval(ticking);
  tell();
  console.log(
    `${withPeers} with peers, who gave ${blocksGiven} blocks; in ${deserted} clients went on with peers alone, ${desertions} times`,
  );
  if (failures.length > 0 || (minutes === Infinity && done < count)) process.exitCode = 1;
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function report({ seed, problems, hasPeers }: Pick<SeedResult, 'seed' | 'problems' | 'hasPeers'>): void {
  if (problems.length === 0) return;
  console.log(
    `seed ${seed} at commit ${commit()} failed; see it with: npm run simulate -- --from ${seed} --peers ${hasPeers ? 'yes' : 'no'} --trace`,
  );
  for (const problem of problems.slice(0, PROBLEMS_SHOWN)) console.log(`   ${problem}`);
}

/** Plants each fault by itself, and shows the seed that finds it. */
async function findFaults(): Promise<void> {
  for (const { name, what, faults, peers: needsPeers } of plantedFaults) {
    if (values.fault !== undefined && values.fault !== name) continue;
    let found: SeedResult | undefined;
    for (let seed = from; found === undefined && seed < from + SEEDS_FOR_A_FAULT; seed++) {
      const result = await runSeed(seed, { faults, peers: needsPeers ?? peers === true });
      if (result.problems.length > 0) found = result;
    }
    if (found === undefined) process.exitCode = 1;
    const after =
      found === undefined ? 'NOT FOUND' : `found by seed ${found.seed - from + 1}: ${found.problems[0] ?? ''}`;
    console.log(`${name} (${what})\n   ${after.slice(0, 300)}`);
  }
}

/** One seed with all that happens in it. */
async function show(seed: number): Promise<void> {
  const result = await runSeed(seed, { peers, onLine: (line) => console.log(line) });
  console.log(`trace ${result.digest}`);
  report(result);
  if (result.problems.length > 0) process.exitCode = 1;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} must be a whole number, not ${text}`);
  return value;
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}
