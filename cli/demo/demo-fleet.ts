import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';
import type { Environment } from '../settings/config.js';
import { ChildProgram } from './child-program.js';

/** The two sites of the demo: each has an agent and a client. */
export const SITES = ['lisbon', 'porto'] as const;
export type Site = (typeof SITES)[number];

/** The namespace that is synced. */
export const NAMESPACE = 'demo';

/** A server of the demo and where it listens. */
export interface DemoServer {
  readonly program: ChildProgram;
  readonly address: string;
  readonly http: string;
}

/** A client of the demo and the folder that it syncs. */
export interface DemoClient {
  readonly site: Site;
  readonly program: ChildProgram;
  readonly folder: string;
  /** Where its device's key lies. */
  readonly homeDir: string;
}

/** What starts the programs of a demo. */
export interface FleetOptions {
  /** Everything lies below it. */
  readonly directory: string;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const FREE_PORT = '127.0.0.1:0';

/** The programs of a demo, as real processes on free ports. */
export class DemoFleet {
  readonly #programs: ChildProgram[] = [];

  constructor(private readonly options: FleetOptions) {}

  get logDirectory(): string {
    return join(this.options.directory, 'logs');
  }

  /** The process ids, in the order in which they were started. */
  get pids(): readonly number[] {
    return this.#programs.map(({ pid }) => pid);
  }

  async startMetadata(): Promise<DemoServer> {
    const data = join(this.options.directory, 'metadata');
    return this.#startServer('metadata', ['metadata', 'serve', '--data', data]);
  }

  async startAgent(site: Site, metadata: string): Promise<DemoServer> {
    const data = join(this.options.directory, `agent-${site}`);
    const where = ['--metadata', metadata, '--premises', site];
    // A demo fits on any disk that has a little space left.
    return this.#startServer(`agent-${site}`, ['agent', 'serve', '--data', data, ...where, '--free-floor', '100MiB']);
  }

  /** Starts to sync `folder`; it runs when this resolves, and says `synced` when it is done. */
  async startClient(site: Site, metadata: string, folder: string): Promise<DemoClient> {
    const home = join(this.options.directory, `home-${site}`);
    const where = ['--metadata', metadata, '--premises', site, '--home', home];
    const program = await this.#start(`client-${site}`, ['sync', folder, '--namespace', NAMESPACE, ...where]);
    return { site, program, folder, homeDir: home };
  }

  /** Raises INTERNAL where a program has ended by itself. */
  async checkAlive(): Promise<void> {
    for (const program of this.#programs) await program.checkAlive();
  }

  /** Ends all programs in good order, the last started first. */
  async stop(): Promise<void> {
    for (const program of [...this.#programs].reverse()) await program.stop();
  }

  /** Lets all programs go on when this process ends. */
  leaveRunning(): void {
    for (const program of this.#programs) program.leaveRunning();
  }

  async #startServer(name: string, args: readonly string[]): Promise<DemoServer> {
    const program = await this.#start(name, [...args, '--listen', FREE_PORT, '--http', FREE_PORT]);
    const { address, http } = await program.waitFor('listening', this.options.signal);
    return { program, address: String(address), http: String(http) };
  }

  async #start(name: string, args: readonly string[]): Promise<ChildProgram> {
    const { environment, clock, directory } = this.options;
    await mkdir(this.logDirectory, { recursive: true });
    const program = new ChildProgram({
      name,
      args,
      environment: cleanEnvironment(environment, directory),
      logDirectory: this.logDirectory,
      clock,
    });
    this.#programs.push(program);
    return program;
  }
}

/** The environment without the user's own settings: what the demo shows must not depend on them. */
function cleanEnvironment(environment: Environment, directory: string): Environment {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith('DRYSTONE_'));
  return { ...Object.fromEntries(kept), XDG_CONFIG_HOME: join(directory, 'config') };
}
