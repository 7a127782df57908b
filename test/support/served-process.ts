import { DrystoneProcess, type Event, type Exit } from './drystone-process.js';

/** Where a serving command listens. */
interface Addresses {
  readonly grpc: string;
  readonly http: string;
}

/** The arguments of a serving command, given where it shall listen. */
export type ServeArguments = (listen: string, http: string) => readonly string[];

const FREE_PORT = '127.0.0.1:0';

/** A `drystone … serve` process that can be ended and started again on the same data and the same ports. */
export class ServedProcess {
  #addresses: Addresses | undefined;
  #process: DrystoneProcess | undefined;
  readonly #ended: DrystoneProcess[] = [];

  /** `environment` has what is not to be seen among the arguments. */
  constructor(
    readonly serveArguments: ServeArguments,
    private readonly environment: Readonly<Record<string, string>> = {},
  ) {}

  /** Whether it has been started, even if it has ended since. */
  get isStarted(): boolean {
    return this.#process !== undefined;
  }

  /** HOST:PORT of its gRPC server; the same after a restart. */
  get address(): string {
    return this.#listening.grpc;
  }

  /** HOST:PORT of its /metrics, /healthz and /readyz; the same after a restart. */
  get httpAddress(): string {
    return this.#listening.http;
  }

  /** The running process. */
  get process(): DrystoneProcess {
    if (this.#process === undefined) throw new Error('it has not been started');
    return this.#process;
  }

  /** What all its processes wrote to standard error last. */
  get log(): string {
    return [...this.#ended, this.#process].map((process) => process?.log ?? '').join('\n');
  }

  /** Starts it and waits until it listens; what it says then. */
  async start(): Promise<Event> {
    const { grpc, http } = this.#addresses ?? { grpc: FREE_PORT, http: FREE_PORT };
    this.#process = new DrystoneProcess(this.serveArguments(grpc, http), this.environment);
    const event = await this.#process.event('that it listens', ({ event }) => event === 'listening');
    this.#addresses = { grpc: String(event.address), http: String(event.http) };
    return event;
  }

  /** Ends it with `signal`; SIGKILL is what a power cut does to a process. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    const exit = await this.process.end(signal);
    this.#ended.push(this.process);
    return exit;
  }

  /** Ends it with `signal` and starts it again. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.end(signal);
    await this.start();
  }

  /** The value of a series of its /metrics, its labels as they stand there: `name{label="value"}`. */
  async metric(series: string): Promise<number> {
    const response = await fetch(`http://${this.httpAddress}/metrics`);
    const line = (await response.text()).split('\n').find((candidate) => candidate.startsWith(`${series} `));
    if (line === undefined) throw new Error(`there is no series ${series}`);
    return Number(line.slice(series.length + 1));
  }

  get #listening(): Addresses {
    if (this.#addresses === undefined) throw new Error('it has not been started');
    return this.#addresses;
  }
}
