import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admissions } from '../../cli/demo/admissions.js';
import { memberRoles } from '../../cli/fleet/roles.js';
import type { SyncSummary } from '../../client/progress.js';
import { DrystoneProcess, type Event, type Exit } from './drystone-process.js';
import { ServedProcess } from './served-process.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
import { waitUntil } from './wait-until.js';

/** The account whose devices the clients are, each with one of its own; it may edit every namespace. */
const PEOPLE = 'people';
/** The device of the administrator, who made every namespace. */
const ADMIN = 'admin';
/** Devices that have logged in before they are needed: a test starts a client without waiting for that. */
const SPARE_DEVICES = 4;

export interface AgentOptions {
  /** Free space below which it refuses blocks, as `--free-floor` takes it. */
  readonly freeFloor?: string;
  /** HOST:PORT at which it finds metadata, where that is not metadata's own. */
  readonly metadata?: string;
}

/** A command that ran to its end. */
export interface Finished extends Exit {
  readonly events: readonly Event[];
  readonly log: string;
  /** What a sync says that it did; undefined where it did not come to its end. */
  readonly summary: SyncSummary | undefined;
  /** Why it failed, as it says under --json. */
  readonly error: { readonly code: string; readonly reason: string; readonly message: string } | undefined;
}

/** An agent and the network in front of it. */
export interface FleetAgent {
  readonly server: ServedProcess;
  readonly network: TcpProxy;
  /** For its next start. */
  freeFloor: string;
}

/** Whether clients reach the servers through proxies, which a test can stall and cut, or directly. */
export type Route = 'proxied' | 'direct';

/** A metadata service, agents and clients as real processes on loopback, in one temporary directory. */
export class Fleet {
  /** Everything of this fleet lies below it. */
  readonly dir: string;
  readonly metadata: ServedProcess;
  readonly agents: FleetAgent[] = [];
  /** The network between clients and the metadata service; agents reach that directly. */
  #metadataNetwork: TcpProxy | undefined;
  #admissions: Admissions | undefined;
  /** Where each device has its key and certificate, by its name. */
  readonly #homes = new Map<string, string>();
  /** Homes of devices that nobody has used yet. */
  readonly #spareHomes: string[] = [];
  readonly #clients: DrystoneProcess[] = [];

  /** `parent` is where the fleet's directory is made. */
  constructor(
    readonly route: Route = 'proxied',
    parent = tmpdir(),
  ) {
    this.dir = mkdtempSync(join(parent, 'drystone-fleet-'));
    const data = join(this.dir, 'metadata');
    this.metadata = new ServedProcess((listen, http) => {
      return ['metadata', 'serve', '--data', data, '--listen', listen, '--http', http, '--json'];
    });
  }

  /** Its administrator. */
  get admissions(): Admissions {
    if (this.#admissions === undefined) throw new Error('the metadata service has not been started');
    return this.#admissions;
  }

  get metadataNetwork(): TcpProxy {
    if (this.#metadataNetwork === undefined) throw new Error('the metadata service has not been started');
    return this.#metadataNetwork;
  }

  /** Starts the metadata service, `agentCount` agents at premises site-1, site-2, …, and a namespace on all of them. */
  async startAll(namespace: string, agentCount: number): Promise<void> {
    await this.startMetadata();
    for (let index = 0; index < agentCount; index++) await this.startAgent();
    await this.createNamespace(namespace, agentCount);
  }

  /** Starts the metadata service and logs in the administrator and a few devices of `people`. */
  async startMetadata(): Promise<void> {
    const { adminTokenFile } = await this.metadata.start();
    const { address } = this.metadata;
    this.#metadataNetwork = await startTcpProxy(address);
    const adminHome = this.#newHome();
    this.#homes.set(ADMIN, adminHome);
    const newFleet = { metadata: address, adminTokenFile: String(adminTokenFile), adminHome };
    this.#admissions = await Admissions.open(newFleet, new AbortController().signal);
    await this.admissions.createAccount(PEOPLE);
    await this.admitDevices(SPARE_DEVICES);
  }

  /** Makes an account, which is no member of anything, and logs in a device of it that is called the same. */
  async admit(account: string): Promise<void> {
    const home = this.#newHome();
    await this.admissions.createAccount(account);
    await this.admissions.admitDevice(account, home);
    this.#homes.set(account, home);
  }

  /** Logs in so many devices of `people`, for as many clients more. */
  async admitDevices(count: number): Promise<void> {
    const homes = Array.from({ length: count }, () => this.#newHome());
    await Promise.all(homes.map((home) => this.admissions.admitDevice(PEOPLE, home)));
    this.#spareHomes.push(...homes);
  }

  async startAgent({ freeFloor = '1MiB', metadata = this.metadata.address }: AgentOptions = {}): Promise<FleetAgent> {
    const number = this.agents.length + 1;
    const data = join(this.dir, `agent-${number}`);
    const network = await startTcpProxy();
    const advertise = this.route === 'proxied' ? ['--advertise', network.address] : [];
    const token = await this.admissions.agentToken(`site-${number}`);
    const server = new ServedProcess(
      (listen, http) => [
        ...['agent', 'serve', '--data', data, '--metadata', metadata],
        ...['--listen', listen, '--http', http, '--free-floor', agent.freeFloor, '--json', ...advertise],
      ],
      { DRYSTONE_AGENT_JOIN: token },
    );
    const agent: FleetAgent = { server, network, freeFloor };
    this.agents.push(agent);
    await server.start();
    network.target = server.address;
    return agent;
  }

  /** A namespace of the administrator, which `people` may edit. */
  async createNamespace(name: string, replicas: number): Promise<void> {
    await this.admissions.ask(async ({ admin, access }) => {
      await waitUntil('enough agents are online', () => admin.createNamespace({ name, replicas }));
      await access.shareNamespace({ namespaceName: name, account: PEOPLE, role: memberRoles.editor });
    });
  }

  /** An empty directory of this fleet. */
  folder(name: string): string {
    const path = join(this.dir, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Where the device called `device` has its key and certificate: one that nobody has used, where there is none yet. */
  homeOf(device: string): string {
    const home = this.#homes.get(device) ?? this.#spareHomes.pop();
    if (home === undefined) throw new Error('there is no device left; admitDevices makes more');
    this.#homes.set(device, home);
    return home;
  }

  /** Starts `drystone` with `args` as the device called `device`. */
  spawn(args: readonly string[], device = ADMIN): DrystoneProcess {
    const home = this.homeOf(device);
    const metadata = this.route === 'proxied' ? this.metadataNetwork.address : this.metadata.address;
    // Who is to share with others says so: nothing of a test goes out to a network.
    const environment = { HOME: home, DRYSTONE_CLIENT_PEER_LISTEN: 'off' };
    const process = new DrystoneProcess([...args, '--metadata', metadata, '--home', home, '--json'], environment);
    this.#clients.push(process);
    return process;
  }

  /** Starts syncing the folder called `name`, each with the device of its name; it goes on until it is ended. */
  sync(name: string, namespace: string, args: readonly string[] = []): DrystoneProcess {
    return this.spawn(['sync', this.folder(name), '--namespace', namespace, ...args], name);
  }

  /** Syncs the folder called `name` once and waits for the end. */
  async syncOnce(name: string, namespace: string, args: readonly string[] = []): Promise<Finished> {
    return finish(this.sync(name, namespace, ['--once', ...args]));
  }

  /** Runs `drystone` with `args` and waits for the end. */
  async run(args: readonly string[], device = ADMIN): Promise<Finished> {
    return finish(this.spawn(args, device));
  }

  #newHome(): string {
    return mkdtempSync(join(this.dir, 'home-'));
  }

  /** What every process wrote to standard error last, for a test that failed. */
  get log(): string {
    const servers = [this.metadata, ...this.agents.map((agent) => agent.server)];
    const texts = [
      ...servers.map((server) => `${server.serveArguments('…', '…').slice(0, 2).join(' ')}:\n${server.log}`),
      ...this.#clients.map(({ record }) => record),
    ];
    return texts.join('\n\n');
  }

  /** Ends every process; the files stay. */
  async endAll(): Promise<void> {
    const servers = [this.metadata, ...this.agents.map((agent) => agent.server)];
    await Promise.all([
      ...this.#clients.map((client) => client.end('SIGKILL')),
      ...servers.map((server) => (server.isStarted ? server.end('SIGKILL') : undefined)),
      ...this.agents.map((agent) => agent.network.close()),
      this.#metadataNetwork?.close(),
    ]);
  }

  /** Ends every process and removes every file. */
  async remove(): Promise<void> {
    await this.endAll();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Waits for the end of a command. */
export async function finish(process: DrystoneProcess): Promise<Finished> {
  const exit = await process.exited;
  const { events, log } = process;
  const summary = events.findLast(({ event }) => event === 'finished')?.summary as SyncSummary | undefined;
  const report = log.split('\n').findLast((line) => line.startsWith('{"error":'));
  const { error } = JSON.parse(report ?? '{}') as Pick<Finished, 'error'>;
  return { ...exit, events, log, summary, error };
}
