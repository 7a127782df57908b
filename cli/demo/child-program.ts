import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../common/clock.js';
import { DrystoneError } from '../../common/errors.js';
import type { Environment } from '../settings/config.js';

/** The executable that this process runs: children are the same one. */
export const EXECUTABLE = fileURLToPath(new URL('../main.js', import.meta.url));

const POLL_MS = 20;
const READY_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 15_000;

/** A line that a child printed under --json. */
export interface ChildEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

export interface ChildOptions {
  /** For people and for the names of its log files. */
  readonly name: string;
  readonly args: readonly string[];
  /** The file that Node runs: this program's own, unless another is named. */
  readonly entry?: string;
  readonly environment: Environment;
  readonly logDirectory: string;
  readonly clock: Clock;
}

/**
 * One `drystone` command as a process of its own. Its output goes to files, so that it can outlive this process:
 * NAME.jsonl has its events, NAME.log its log.
 */
export class ChildProgram {
  readonly name: string;
  readonly pid: number;
  readonly eventsFile: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  #ended: string | undefined;
  #isStopped = false;

  constructor({ name, args, entry = EXECUTABLE, environment, logDirectory, clock }: ChildOptions) {
    this.name = name;
    this.#clock = clock;
    this.eventsFile = join(logDirectory, `${name}.jsonl`);
    this.logFile = join(logDirectory, `${name}.log`);
    const output = openSync(this.eventsFile, 'w');
    const errors = openSync(this.logFile, 'w');
    // Detached: Ctrl-C reaches this process alone, which then ends its children in good order.
    this.#child = spawn(process.execPath, [entry, ...args, '--json'], {
      detached: true,
      stdio: ['ignore', output, errors],
      env: { ...environment },
    });
    closeSync(output);
    closeSync(errors);
    this.#child.once('error', (error) => (this.#ended = error.message));
    this.#child.once('exit', (code, signal) => (this.#ended = signal ?? `exit code ${code}`));
    this.pid = this.#child.pid ?? 0;
  }

  /** All events so far. */
  async events(): Promise<readonly ChildEvent[]> {
    const text = await readFile(this.eventsFile, 'utf8');
    // The last line may not be whole yet.
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as ChildEvent);
  }

  /** The first event called `name`, once there is one. Raises UNAVAILABLE where it does not come in time. */
  async waitFor(name: string, signal: AbortSignal): Promise<ChildEvent> {
    const startedAtMs = this.#clock.monotonicMs();
    for (;;) {
      const found = (await this.events()).find(({ event }) => event === name);
      if (found !== undefined) return found;
      await this.checkAlive();
      if (this.#clock.monotonicMs() - startedAtMs > READY_WITHIN_MS) {
        const message = `${this.name} did not say '${name}' within ${READY_WITHIN_MS} ms; its log is ${this.logFile}`;
        throw new DrystoneError('UNAVAILABLE', 'INTERNAL', message);
      }
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  /** Whether {@link stop} has been called. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Raises INTERNAL, with the last words of its log, where the process has ended by itself. */
  async checkAlive(): Promise<void> {
    if (this.#ended === undefined || this.#isStopped) return;
    const log = await readFile(this.logFile, 'utf8');
    const lastWords = log.trimEnd().split('\n').at(-1) ?? '';
    throw new DrystoneError(
      'INTERNAL',
      'INTERNAL',
      `${this.name} ended with ${this.#ended}: ${lastWords} (${this.logFile})`,
    );
  }

  /** Ends it in good order, or by force where that takes too long. */
  async stop(): Promise<void> {
    const startedAtMs = this.#clock.monotonicMs();
    this.#isStopped = true;
    this.#child.kill('SIGTERM');
    while (this.#ended === undefined && this.#child.pid !== undefined) {
      if (this.#clock.monotonicMs() - startedAtMs > STOP_WITHIN_MS) this.#child.kill('SIGKILL');
      await this.#clock.sleep(POLL_MS);
    }
  }

  /** Lets this process end while the child goes on. */
  leaveRunning(): void {
    this.#child.unref();
  }
}
