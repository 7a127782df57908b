import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { startAgent } from '../../../agent/program.js';
import { createInlineDisk } from '../../../client/act/disk/inline-disk.js';
import type { StepHook } from '../../../client/act/disk/disk-task.js';
import { createInlineCutter } from '../../../client/observe/inline-cutter.js';
import type { SyncConflict, SyncObserver, SyncProblem, SyncSummary } from '../../../client/progress.js';
import { startSync, type RunningSync, type SyncConfig } from '../../../client/program.js';
import { systemClock } from '../../../common/clock.js';
import type { AccountName, NamespaceName, PremisesName } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import type { ProgramContext, RunningProgram } from '../../../common/program/context.js';
import { systemRandom } from '../../../common/random.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { plaintextCredentials } from '../../../common/rpc/credentials.js';
import { startMetadata } from '../../../metadata/program.js';
import { AdminServiceService } from '../../../proto/gen/drystone/metadata/v1/admin.js';
import { temporaryDirectory } from '../temporary-directory.js';
import { waitUntil } from '../wait-until.js';

export function testContext(): ProgramContext {
  return {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger(),
    registry: new Registry(),
    credentials: plaintextCredentials(),
  };
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

export interface ClientOptions {
  readonly namespace?: string;
  readonly premises?: string;
  readonly once?: boolean;
  readonly step?: StepHook;
  readonly metadata?: string;
  readonly account?: string;
  /** Whose key and certificate it uses: a device that is called as the folder unless another is named. */
  readonly device?: string;
}

/** Metadata, agents and clients in this process, on loopback, for the time of one test. */
export class InProcessFleet {
  readonly dir = temporaryDirectory();
  readonly agents: RunningProgram[] = [];
  #admin: RpcChannel | undefined;

  private constructor(readonly metadata: RunningProgram) {}

  /** One agent at each of the premises, and the namespace `docs` on all of them. */
  static async start(premises: readonly string[] = ['here']): Promise<InProcessFleet> {
    const config = { dataDir: temporaryDirectory(), engine: 'memory', listen: '127.0.0.1:0', http: undefined } as const;
    const fleet = new InProcessFleet(await startMetadata(config, testContext()));
    onTestFinished(() => fleet.stop());
    for (const name of premises) fleet.agents.push(await fleet.startAgent(name));
    await fleet.createNamespace('docs', premises.length);
    return fleet;
  }

  startAgent(premises: string): Promise<RunningProgram> {
    const config = {
      dataDir: temporaryDirectory(),
      metadata: this.metadata.address,
      premises: premises as PremisesName,
      listen: '127.0.0.1:0',
      advertise: undefined,
      http: undefined,
      freeFloorBytes: 0,
    };
    return startAgent(config, testContext());
  }

  async createNamespace(name: string, replicas: number): Promise<void> {
    this.#admin ??= openChannel(this.metadata.address, plaintextCredentials().channel);
    const admin = this.#admin.service(AdminServiceService);
    await waitUntil('enough agents are online', async () => {
      await admin.createNamespace({ name, replicas });
      return true;
    });
  }

  folder(name: string): string {
    return join(this.dir, name);
  }

  configOf(name: string, options: ClientOptions = {}): SyncConfig {
    return {
      root: this.folder(name),
      namespace: (options.namespace ?? 'docs') as NamespaceName,
      account: (options.account ?? 'people') as AccountName,
      metadata: options.metadata ?? this.metadata.address,
      premises: options.premises as PremisesName | undefined,
      homeDir: join(this.dir, `home of ${options.device ?? name}`),
      once: options.once ?? true,
    };
  }

  async startClient(name: string, options: ClientOptions = {}): Promise<{ sync: RunningSync; witness: Witness }> {
    const witness = new Witness();
    const workers = {
      cutter: createInlineCutter(systemClock),
      disk: createInlineDisk(options.step ?? ((): void => undefined)),
    };
    const sync = await startSync(this.configOf(name, options), testContext(), witness, workers);
    onTestFinished(() => sync.stop());
    return { sync, witness };
  }

  /** Syncs until both sides are equal. */
  async syncOnce(name: string, options: ClientOptions = {}): Promise<SyncSummary & { readonly witness: Witness }> {
    const { sync, witness } = await this.startClient(name, options);
    return { ...(await sync.finished), witness };
  }

  async stop(): Promise<void> {
    this.#admin?.close();
    await Promise.all([...this.agents.map((agent) => agent.stop()), this.metadata.stop()]);
  }
}
