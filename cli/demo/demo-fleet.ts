import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';
import type { Environment } from '../settings/config.js';
import { ChildProgram, type ChildEvent } from './child-program.js';
import { LINE_PROGRAM, WanLine } from './wan-line.js';

/** The two sites of the demo: each has an agent and a client. */
export const SITES = ['lisbon', 'porto'] as const;
export type Site = (typeof SITES)[number];

/** Whose device the client at each site is. */
export const PEOPLE = { lisbon: 'ana', porto: 'ben' } as const satisfies Record<Site, string>;

/** Who joins the first site later. */
export const COLLEAGUE = 'cleo';

/** The namespace that is synced. */
export const NAMESPACE = 'demo';

/** A server of the demo and where it listens. */
export interface DemoServer {
  readonly program: ChildProgram;
  readonly address: string;
  readonly http: string;
}

/** The metadata service, and the file with the token of its first administrator. */
export interface DemoMetadata extends DemoServer {
  readonly adminTokenFile: string;
}

/** A client of the demo and the folder that it syncs. */
export interface DemoClient {
  readonly site: Site;
  readonly person: string;
  readonly program: ChildProgram;
  readonly folder: string;
  /** Where its device's key and certificate lie. */
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

/** Whose folder is synced, and where. */
export interface ClientPlace {
  readonly site: Site;
  readonly person: string;
  readonly folder: string;
  /** HOST:PORT at which the metadata service is reached from there. */
  readonly metadata: string;
}

const FREE_PORT = '127.0.0.1:0';

interface StartOptions {
  /** Environment variables that are not to be seen among the arguments. */
  readonly secrets?: Environment;
  /** The file that Node runs, where that is not the command itself. */
  readonly entry?: string;
}

/** The programs of a demo, as real processes on free ports. */
export class DemoFleet {
  readonly #programs: ChildProgram[] = [];

  constructor(private readonly options: FleetOptions) {}

  get logDirectory(): string {
    return join(this.options.directory, 'logs');
  }

  /** The process ids of what runs, in the order in which they were started. */
  get pids(): readonly number[] {
    return this.#programs.filter(({ isStopped }) => !isStopped).map(({ pid }) => pid);
  }

  /** Where the device of an account has its key and certificate. */
  homeOf(account: string): string {
    return join(this.options.directory, `home-${account}`);
  }

  async startMetadata(): Promise<DemoMetadata> {
    const data = join(this.options.directory, 'metadata');
    const { server, event } = await this.#startServer('metadata', ['metadata', 'serve', '--data', data]);
    return { ...server, adminTokenFile: String(event.adminTokenFile) };
  }

  /** Lays the line by which a site reaches the metadata service. */
  layLine(site: Site, metadata: string): Promise<WanLine> {
    return WanLine.lay(metadata, async (listen, target) => {
      const program = await this.#start(`line-${site}`, [listen, target], { entry: LINE_PROGRAM });
      return { program, event: await program.waitFor('listening', this.options.signal) };
    });
  }

  /** Starts an agent that joins with `token`, which reaches it where no other user of the machine looks. */
  async startAgent(site: Site, metadata: string, token: string): Promise<DemoServer> {
    const data = join(this.options.directory, `agent-${site}`);
    // A demo fits on any disk that has a little space left.
    const args = ['agent', 'serve', '--data', data, '--metadata', metadata, '--free-floor', '100MiB'];
    const secrets = { DRYSTONE_AGENT_JOIN: token };
    const { server } = await this.#startServer(`agent-${site}`, args, secrets);
    return server;
  }

  /** Starts to sync a folder as somebody's device; it runs when this resolves, and says `synced` when it is done. */
  async startClient({ site, person, folder, metadata }: ClientPlace): Promise<DemoClient> {
    const homeDir = this.homeOf(person);
    const where = ['--namespace', NAMESPACE, '--premises', site, '--home', homeDir, '--metadata', metadata];
    const name = person === COLLEAGUE ? `client-${site}-${person}` : `client-${site}`;
    // Both sites are this machine here: were the second to share blocks too, it would find those of the first next to it.
    const peers = site === SITES[0] ? ['--peer-listen', FREE_PORT] : ['--no-peers'];
    const program = await this.#start(name, ['sync', folder, ...where, ...peers]);
    return { site, person, program, folder, homeDir };
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

  async #startServer(
    name: string,
    args: readonly string[],
    secrets: Environment = {},
  ): Promise<{ server: DemoServer; event: ChildEvent }> {
    const program = await this.#start(name, [...args, '--listen', FREE_PORT, '--http', FREE_PORT], { secrets });
    const event = await program.waitFor('listening', this.options.signal);
    return { server: { program, address: String(event.address), http: String(event.http) }, event };
  }

  async #start(
    name: string,
    args: readonly string[],
    { secrets = {}, entry }: StartOptions = {},
  ): Promise<ChildProgram> {
    const { environment, clock, directory } = this.options;
    await mkdir(this.logDirectory, { recursive: true });
    const program = new ChildProgram({
      name,
      args,
      ...(entry === undefined ? {} : { entry }),
      environment: { ...cleanEnvironment(environment, directory), ...secrets },
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
