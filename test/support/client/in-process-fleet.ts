import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { Admissions } from '../../../cli/demo/admissions.js';
import { memberRoles } from '../../../cli/fleet/roles.js';
import { startAgent } from '../../../agent/program.js';
import { createInlineDisk } from '../../../client/act/disk/inline-disk.js';
import type { StepHook } from '../../../client/act/disk/disk-task.js';
import type { SyncConflict, SyncObserver, SyncProblem, SyncSummary } from '../../../client/progress.js';
import type { PeerConfig } from '../../../client/peers/peer-network.js';
import { startSync, type RunningSync, type SyncConfig } from '../../../client/program.js';
import { systemClock } from '../../../common/clock.js';
import type { NamespaceName, PremisesName } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import type { ServerContext, RunningProgram } from '../../../common/program/context.js';
import { systemRandom } from '../../../common/random.js';
import { startMetadata, type MetadataConfig } from '../../../metadata/program.js';
import { temporaryDirectory } from '../temporary-directory.js';
import { waitUntil } from '../wait-until.js';
import { inlineCutter } from './inline-cutter.js';

/** The account of all clients that are not given another; it may edit every namespace. */
const PEOPLE = 'people';

export function testContext(): ServerContext {
  return { clock: systemClock, random: systemRandom, logger: silentLogger(), registry: new Registry() };
}

/** What a client told its observer. */
export class Witness implements SyncObserver {
  readonly phases: string[] = [];
  readonly problems: SyncProblem[] = [];
  readonly conflicts: SyncConflict[] = [];
  readonly waits: string[] = [];

  progress({ phase }: { readonly phase: string }): void {
    this.phases.push(phase);
  }

  problem(problem: SyncProblem): void {
    this.problems.push(problem);
  }

  conflict(conflict: SyncConflict): void {
    this.conflicts.push(conflict);
  }

  waiting(reason: string): void {
    this.waits.push(reason);
  }
}

function adminHomeIn(dir: string): string {
  return join(dir, 'home of the administrator');
}

export interface ClientOptions {
  readonly namespace?: string;
  readonly premises?: string;
  readonly once?: boolean;
  readonly step?: StepHook;
  readonly metadata?: string;
  /** Whose device it is, where it is not one of `people`; the account is made, and is no member of anything. */
  readonly account?: string;
  /** Whose key and certificate it uses: a device that is called as the folder unless another is named. */
  readonly device?: string;
  /** How it shares blocks with others; not at all unless said. */
  readonly peers?: PeerConfig;
}

/** Metadata, agents and clients in this process, on loopback, for the time of one test; everybody has joined as everywhere. */
export class InProcessFleet {
  readonly agents: RunningProgram[] = [];
  readonly #homes = new Map<string, Promise<string>>();

  private constructor(
    readonly dir: string,
    public metadata: RunningProgram,
    private readonly metadataConfig: MetadataConfig,
    /** Its administrator. */
    readonly admissions: Admissions,
  ) {}

  /** One agent at each of the premises, and the namespace `docs` on all of them; metadata keeps it on disk where `engine` says so. */
  static async start(
    premises: readonly string[] = ['here'],
    engine: MetadataConfig['engine'] = 'memory',
  ): Promise<InProcessFleet> {
    const config: MetadataConfig = {
      dataDir: temporaryDirectory(),
      engine,
      listen: '127.0.0.1:0',
      http: undefined,
      serverCertificate: undefined,
      recoverAdmin: false,
    };
    const dir = temporaryDirectory();
    const metadata = await startMetadata(config, testContext());
    onTestFinished(() => fleet.metadata.stop());
    const { address, adminTokenFile = '' } = metadata;
    const newFleet = { metadata: address, adminTokenFile, adminHome: adminHomeIn(dir) };
    const again = { ...config, listen: address };
    const fleet = new InProcessFleet(
      dir,
      metadata,
      again,
      await Admissions.open(newFleet, new AbortController().signal),
    );
    await fleet.admissions.createAccount(PEOPLE);
    for (const name of premises) fleet.agents.push(await fleet.startAgent(name));
    await fleet.createNamespace('docs', premises.length);
    return fleet;
  }

  /** Where the administrator's device has its key and certificate. */
  get adminHome(): string {
    return adminHomeIn(this.dir);
  }

  /** Stops metadata, and starts it again when `work` has been done on its data directory. */
  async whileMetadataIsStopped(work: (dataDir: string) => void): Promise<void> {
    await this.metadata.stop();
    work(this.metadataConfig.dataDir);
    this.metadata = await startMetadata(this.metadataConfig, testContext());
  }

  async startAgent(premises: string): Promise<RunningProgram> {
    const config = {
      dataDir: temporaryDirectory(),
      metadata: this.metadata.address,
      join: await this.admissions.agentToken(premises),
      premises: undefined,
      listen: '127.0.0.1:0',
      advertise: undefined,
      http: undefined,
      freeFloorBytes: 0,
    };
    const agent = await startAgent(config, testContext());
    onTestFinished(() => agent.stop());
    return agent;
  }

  /** A namespace of the administrator, which `people` may edit. */
  async createNamespace(name: string, replicas: number): Promise<void> {
    await this.admissions.ask(async ({ admin, access }) => {
      await waitUntil('enough agents are online', () => admin.createNamespace({ name, replicas }));
      await access.shareNamespace({ namespaceName: name, account: PEOPLE, role: memberRoles.editor });
    });
  }

  /** Where the device called `name` has its key and certificate; it logs in when it is first asked for. */
  homeOf(name: string, account = PEOPLE): Promise<string> {
    const home = this.#homes.get(name) ?? this.#admit(account, join(this.dir, `home of ${name}`));
    this.#homes.set(name, home);
    return home;
  }

  folder(name: string): string {
    return join(this.dir, name);
  }

  async configOf(name: string, options: ClientOptions = {}): Promise<SyncConfig> {
    return {
      root: this.folder(name),
      namespace: (options.namespace ?? 'docs') as NamespaceName,
      metadata: options.metadata ?? this.metadata.address,
      premises: options.premises as PremisesName | undefined,
      homeDir: await this.homeOf(options.device ?? name, options.account),
      once: options.once ?? true,
      peers: options.peers,
      maxUploadRate: undefined,
      maxDownloadRate: undefined,
    };
  }

  async startClient(name: string, options: ClientOptions = {}): Promise<{ sync: RunningSync; witness: Witness }> {
    const witness = new Witness();
    const workers = {
      cutter: inlineCutter,
      disk: createInlineDisk(options.step ?? ((): void => undefined)),
    };
    const sync = await startSync(await this.configOf(name, options), testContext(), witness, workers);
    onTestFinished(() => sync.stop());
    return { sync, witness };
  }

  /** Syncs until both sides are equal. */
  async syncOnce(name: string, options: ClientOptions = {}): Promise<SyncSummary & { readonly witness: Witness }> {
    const { sync, witness } = await this.startClient(name, options);
    return { ...(await sync.finished), witness };
  }

  async #admit(account: string, home: string): Promise<string> {
    if (account !== PEOPLE) await this.admissions.createAccount(account);
    await this.admissions.admitDevice(account, home);
    return home;
  }
}
