import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DrystoneProcess, type Event, type Exit } from './drystone-process.js';
import { ServedProcess } from './served-process.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

export interface AgentOptions {
  readonly premises?: string;
  /** Further arguments of `drystone agent serve`. */
  readonly args?: readonly string[];
  /** Where it keeps its blocks; within the fleet's directory unless set. */
  readonly dataDir?: string;
}

/** A command that ran to its end. */
export interface Finished extends Exit {
  readonly events: readonly Event[];
  readonly log: string;
}

/** An agent and the network in front of it: clients reach it through the proxy. */
export interface FleetAgent {
  readonly server: ServedProcess;
  readonly network: TcpProxy;
  readonly dataDir: string;
}

/** A metadata service, agents and clients as real processes on loopback, in one temporary directory. */
export class Fleet {
  /** Everything of this fleet lies below it. */
  readonly dir = mkdtempSync(join(tmpdir(), 'drystone-fleet-'));
  readonly metadata: ServedProcess;
  readonly agents: FleetAgent[] = [];
  /** The network between clients and the metadata service; agents reach that directly. */
  #metadataNetwork: TcpProxy | undefined;
  readonly #clients: DrystoneProcess[] = [];

  constructor() {
    const data = join(this.dir, 'metadata');
    this.metadata = new ServedProcess((listen, http) => {
      return ['metadata', 'serve', '--data', data, '--listen', listen, '--http', http, '--json'];
    });
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

  async startMetadata(): Promise<void> {
    await this.metadata.start();
    this.#metadataNetwork = await startTcpProxy(this.metadata.address);
  }

  async startAgent(options: AgentOptions = {}): Promise<FleetAgent> {
    const number = this.agents.length + 1;
    const dataDir = options.dataDir ?? join(this.dir, `agent-${number}`);
    const network = await startTcpProxy();
    const server = new ServedProcess((listen, http) => [
      ...['agent', 'serve', '--data', dataDir, '--metadata', this.metadata.address],
      ...['--premises', options.premises ?? `site-${number}`, '--free-floor', '1MiB'],
      ...['--listen', listen, '--advertise', network.address, '--http', http, '--json'],
      ...(options.args ?? []),
    ]);
    const agent = { server, network, dataDir };
    this.agents.push(agent);
    await server.start();
    network.target = server.address;
    return agent;
  }

  async createNamespace(name: string, replicas: number): Promise<void> {
    const finished = await this.run(['namespace', 'create', name, '--replicas', String(replicas)]);
    if (finished.code !== 0) throw new Error(`the namespace was not created:\n${finished.log}`);
  }

  /** An empty directory of this fleet. */
  folder(name: string): string {
    const path = join(this.dir, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Starts `drystone` with `args` as the device called `device`. */
  spawn(args: readonly string[], device = 'admin'): DrystoneProcess {
    const home = join(this.dir, `home-${device}`);
    const process = new DrystoneProcess(
      [...args, '--metadata', this.metadataNetwork.address, '--home', home, '--json'],
      { HOME: home },
    );
    this.#clients.push(process);
    return process;
  }

  /** Starts syncing the folder called `name`, each with a device of its own; it goes on until it is ended. */
  sync(name: string, namespace: string, args: readonly string[] = []): DrystoneProcess {
    return this.spawn(['sync', this.folder(name), '--namespace', namespace, ...args], name);
  }

  /** Syncs the folder called `name` once and waits for the end. */
  async syncOnce(name: string, namespace: string, args: readonly string[] = []): Promise<Finished> {
    return finish(this.sync(name, namespace, ['--once', ...args]));
  }

  /** Runs `drystone` with `args` and waits for the end. */
  async run(args: readonly string[], device = 'admin'): Promise<Finished> {
    return finish(this.spawn(args, device));
  }

  /** What every process wrote to standard error last, for a test that failed. */
  get log(): string {
    const servers = [this.metadata, ...this.agents.map((agent) => agent.server)];
    const texts = [
      ...servers.map((server) => `${server.serveArguments('…', '…').slice(0, 2).join(' ')}:\n${server.log}`),
      ...this.#clients.map((client) => `${client.args.join(' ')}:\n${client.log}`),
    ];
    return texts.join('\n\n');
  }

  /** Ends every process and removes every file. */
  async remove(): Promise<void> {
    const servers = [this.metadata, ...this.agents.map((agent) => agent.server)];
    await Promise.all([
      ...this.#clients.map((client) => client.end('SIGKILL')),
      ...servers.map((server) => (server.isStarted ? server.end('SIGKILL') : undefined)),
      ...this.agents.map((agent) => agent.network.close()),
      this.#metadataNetwork?.close(),
    ]);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

async function finish(process: DrystoneProcess): Promise<Finished> {
  const exit = await process.exited;
  return { ...exit, events: process.events, log: process.log };
}
