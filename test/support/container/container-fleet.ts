import { waitUntil } from '../wait-until.js';
import { compiledForContainer } from './compiled.js';
import { Program, type ProgramOptions } from './programs.js';
import { Sites } from './sites.js';
import { DEVICE_HOME, FOLDER, SyncedFolder } from './synced-folder.js';

const METADATA = 'metadata:7420';
const ADMIN_HOME = '/home/drystone/admin';
const PEOPLE = 'people';
/** From the top of the repository. */
const LIAR = ['test/support/container/liar-program.ts', 'test/support/client/staged-peer.ts'] as const;
const READY = /"event":"listening"/;

/** For an agent: what differs from one with room enough. */
export interface AgentOptions {
  /** Its data lies on a disk in memory of this size, as mount takes it. */
  readonly diskSize?: string;
}

/** A fleet in containers: metadata on the line, agents and clients at their sites. */
export class ContainerFleet {
  readonly #programs: Program[] = [];

  private constructor(
    readonly sites: Sites,
    readonly metadata: Program,
  ) {
    this.#programs.push(metadata);
  }

  /** A metadata service with its administrator and one account for all who sync. */
  static async start(): Promise<ContainerFleet> {
    const sites = await Sites.create();
    const metadata = await Program.start({
      networks: [sites.line],
      alias: 'metadata',
      args: ['metadata', 'serve', '--data', '/data', '--listen', '0.0.0.0:7420', '--json'],
      ready: READY,
    });
    const fleet = new ContainerFleet(sites, metadata);
    await fleet.admin('login', '--token-file', '/data/admin.token');
    await fleet.admin('account', 'create', PEOPLE);
    return fleet;
  }

  /** Runs `drystone` as the administrator; what it printed under --json. */
  async admin(...args: string[]): Promise<unknown> {
    const { code, output } = await this.metadata.drystone(
      ...[...args, '--metadata', '127.0.0.1:7420', '--home', ADMIN_HOME, '--json'],
    );
    if (code !== 0) throw new Error(`drystone ${args.join(' ')}: exit code ${code}: ${output}`);
    return output.trim() === '' ? undefined : JSON.parse(output.trim().split('\n').at(-1) ?? '');
  }

  async startAgent(site: string, { diskSize }: AgentOptions = {}): Promise<Program> {
    const alias = `agent-${site}`;
    return this.#start(site, {
      alias,
      args: [
        ...['agent', 'serve', '--data', '/home/drystone/agent', '--metadata', METADATA, '--free-floor', '4MiB'],
        ...['--listen', '0.0.0.0:7421', '--advertise', `${alias}:7421`, '--json'],
      ],
      environment: { DRYSTONE_AGENT_JOIN: await this.#token('agent', 'token', '--premises', site) },
      ready: READY,
      ...(diskSize === undefined
        ? {}
        : { tmpfs: { '/home/drystone/agent': `rw,uid=10001,gid=10001,size=${diskSize}` } }),
    });
  }

  /** A namespace on `replicas` agents, which everybody may edit. */
  async createNamespace(name: string, replicas: number): Promise<void> {
    const create = (): Promise<unknown> => this.admin('namespace', 'create', name, '--replicas', String(replicas));
    await waitUntil('enough agents are online', async () => (await create(), true));
    await this.admin('namespace', 'share', name, PEOPLE, '--role', 'editor');
  }

  /** A client at a site that keeps a folder of its own in sync with the namespace. */
  async startClient(
    site: string,
    name: string,
    namespace: string,
    args: readonly string[] = [],
  ): Promise<SyncedFolder> {
    const program = await this.#startDevice(site, {
      alias: name,
      args: [
        ...['sync', FOLDER, '--namespace', namespace, '--premises', site, '--metadata', METADATA],
        ...['--home', DEVICE_HOME, '--json', ...args],
      ],
      ready: /"event":"synced"/,
    });
    return new SyncedFolder(program, namespace);
  }

  /**
   * An endpoint at a site that says it has the namespace's only file, of this size, and gives wrong bytes: each time it
   * tells of an event `lied`.
   */
  async startLiar(site: string, namespace: string, sizeBytes: number): Promise<Program> {
    const { main, files } = compiledForContainer(LIAR);
    const listen = ['0.0.0.0:7422', 'liar:7422'];
    return this.#startDevice(site, {
      alias: 'liar',
      main,
      files,
      args: [DEVICE_HOME, METADATA, namespace, site, String(sizeBytes), ...listen],
      ready: READY,
    });
  }

  /** What every program wrote last, for a test that failed. */
  async log(): Promise<string> {
    return (await Promise.all(this.#programs.map((program) => program.log()))).join('\n\n');
  }

  async remove(): Promise<void> {
    // One after the other: an engine that lets many go at once may count one of them as there for ever.
    for (const program of this.#programs) await program.remove();
    await this.sites.remove();
  }

  async #token(...args: string[]): Promise<string> {
    return ((await this.admin(...args)) as { token: string }).token;
  }

  /** Starts a program as a device of its own, which has logged in. */
  async #startDevice(site: string, options: Omit<ProgramOptions, 'networks'>): Promise<Program> {
    const login = `node /opt/drystone/dist/cli/main.js login --metadata ${METADATA} --home ${DEVICE_HOME}`;
    return this.#start(site, {
      ...options,
      before: `{ test -f ${DEVICE_HOME}/device.key || ${login}; } && mkdir -p ${FOLDER}`,
      environment: { DRYSTONE_TOKEN: await this.#token('device', 'token', '--account', PEOPLE) },
    });
  }

  async #start(site: string, options: Omit<ProgramOptions, 'networks'>): Promise<Program> {
    const networks = [this.sites.line, await this.sites.networkOf(site)] as const;
    const program = await Program.start({ ...options, networks });
    this.#programs.push(program);
    this.sites.note(program.container, site, options.alias);
    return program;
  }
}
