import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { waitUntil } from './wait-until.js';

/** The command line as users run it, built; npm runs tests and benches in the root of the package. */
const MAIN = join(process.cwd(), 'dist/cli/main.js');
/** Lines of standard error that are kept to be shown when a test fails. */
const LOG_LINES = 200;
/** Events that are shown then. */
const SHOWN_EVENTS = 40;

/** A line that a command printed under --json. */
export type Event = Readonly<Record<string, unknown>>;

export interface Exit {
  /** The exit code, or null where a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A `drystone` command as a real process. Standard output is read as one JSON value a line. */
export class DrystoneProcess {
  readonly events: Event[] = [];
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #log: string[] = [];
  #exit: Exit | undefined;

  constructor(
    readonly args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    /** What it finds on standard input. */
    input = '',
  ) {
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', ...environment },
    });
    // Most commands never read it, and may have ended before it is written.
    this.#child.stdin?.on('error', () => undefined).end(input);
    this.#readLines('stdout', (line) => this.events.push(parseEvent(line)));
    this.#readLines('stderr', (line) => {
      this.#log.push(line);
      if (this.#log.length > LOG_LINES) this.#log.shift();
    });
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether it has ended. */
  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  /** What it wrote to standard error last, for people. */
  get log(): string {
    return this.#log.join('\n');
  }

  /** For who looks into a test that failed: how it was called, its log, and what it last told programs. */
  get record(): string {
    const events = this.events.slice(-SHOWN_EVENTS).map((event) => JSON.stringify(event));
    return [`${this.args.join(' ')}:`, this.log, ...events].join('\n');
  }

  /** The first event for which `matches` holds, once there is one; fails with the log when the process ends without. */
  async event(what: string, matches: (event: Event) => boolean): Promise<Event> {
    const found = await waitUntil(`${this.args.slice(0, 2).join(' ')} says ${what}`, () => {
      return this.events.find(matches) ?? (this.hasExited && 'exited');
    });
    if (found !== 'exited') return found;
    throw new Error(`drystone ${this.args.join(' ')} ended with ${JSON.stringify(this.#exit)}:\n${this.log}`);
  }

  /** Sends `signal` and waits for the end. Harmless where it has ended already. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return this.exited;
  }

  #readLines(stream: 'stdout' | 'stderr', take: (line: string) => void): void {
    const input = this.#child[stream];
    if (input !== null) createInterface({ input }).on('line', take);
  }
}

function parseEvent(line: string): Event {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Event) : { value };
  } catch {
    return { text: line };
  }
}
