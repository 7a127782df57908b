import type { KeyObject } from 'node:crypto';
import type { Disk } from '../../../client/act/disk/disk-task.js';
import type { Cutter } from '../../../client/observe/cutter.js';
import type { FolderSight } from '../../../client/observe/folder-sight.js';
import { TreeScanner } from '../../../client/observe/scan-tree.js';
import type { SyncObserver, SyncPhase } from '../../../client/progress.js';
import type { TreeStore } from '../../../client/state/tree-store.js';
import { ProgressReporter } from '../../../client/sync/progress-reporter.js';
import { runSession } from '../../../client/sync/session.js';
import { SyncTally } from '../../../client/tally.js';
import { toDrystoneError } from '../../../common/errors.js';
import type { TextKeeper } from '../../../common/files/text-keeper.js';
import type { AccountName, DeviceId, NamespaceName, PremisesName } from '../../../common/ids.js';
import type { RpcChannel } from '../../../common/rpc/client.js';
import { cutterOf } from '../folder/folder-cutter.js';
import { SimulatedDisk } from '../folder/folder-disk.js';
import { readerOf } from '../folder/folder-reader.js';
import { SimulatedWatch } from '../folder/folder-watch.js';
import { SimulatedFolder } from '../folder/folder.js';
import type { SimulatedNetwork } from '../network/network.js';
import { SimulatedProcess, type Crash, type World } from '../process.js';
import { KeptTrees } from './kept-trees.js';
import { METADATA_ADDRESS } from './metadata-node.js';
import { PlainVerifier } from './tokens.js';

/** Who a client is, and where. */
export interface ClientPlace {
  readonly name: string;
  readonly device: DeviceId;
  readonly signingKey: KeyObject;
  readonly account: AccountName;
  readonly site: string;
  readonly namespace: NamespaceName;
  readonly skewMs: number;
}

/** What a planted fault changes of a client. */
export interface ClientFaults {
  readonly trees?: (store: TreeStore, process: SimulatedProcess) => TreeStore;
  readonly disk?: (disk: Disk, folder: SimulatedFolder, process: SimulatedProcess) => Disk;
  readonly cutter?: (cutter: Cutter, place: ClientPlace) => Cutter;
  readonly channel?: (channel: RpcChannel, process: SimulatedProcess) => RpcChannel;
  readonly sight?: (sight: FolderSight, process: SimulatedProcess) => FolderSight;
}

/** A client on its machine: its folder and its state stay over crashes. */
export class ClientNode {
  readonly folder: SimulatedFolder;
  readonly #trees = new KeptTrees();
  readonly #texts = new Map<string, string>();
  #process: SimulatedProcess | undefined;
  #store: TreeStore | undefined;
  phase: SyncPhase | 'down' = 'down';
  /** Set where the sync has ended by itself. */
  ending: string | undefined;
  powerCuts = 0;
  lastWait = '';

  constructor(
    private readonly world: World,
    private readonly network: SimulatedNetwork,
    readonly place: ClientPlace,
    private readonly faults: ClientFaults,
    private readonly onCrash: () => void,
  ) {
    this.folder = new SimulatedFolder(world.time);
  }

  get process(): SimulatedProcess | undefined {
    return this.#process;
  }

  /** What the running client knows. */
  get store(): TreeStore | undefined {
    return this.#store;
  }

  async start(): Promise<void> {
    const { place, folder, network, faults } = this;
    const process = new SimulatedProcess(place.name, this.world, place.skewMs, (crash) => this.#crashed(crash));
    this.#process = process;
    this.phase = 'connecting';
    const root = `/folders/${place.name}`;
    const { context } = process;
    const disk = new SimulatedDisk(folder, root, process);
    disk.clearTemporaries();
    const kept = await this.#trees.open(process);
    const store = faults.trees?.(kept, process) ?? kept;
    this.#store = store;
    const tally = new SyncTally();
    const client = {
      process,
      site: place.site,
      caller: { kind: 'device', deviceId: place.device, account: place.account },
    } as const;
    const connect = (address: string): RpcChannel => {
      const channel = network.open(client, address);
      return faults.channel?.(channel, process) ?? channel;
    };
    const cutter = cutterOf(folder, root, process);
    const sight = this.#sight(root, process);
    const session = runSession(
      {
        root,
        namespace: place.namespace,
        metadata: METADATA_ADDRESS,
        premises: place.site as PremisesName,
        once: false,
        peers: undefined,
        bandwidth: { up: undefined, down: undefined },
        deviceId: place.device,
        signingKey: place.signingKey,
        texts: this.#keeper(process),
        host: place.name,
        connect,
        verifierAt: (time) => new PlainVerifier(time),
        sight: faults.sight?.(sight, process) ?? sight,
        store,
        cutter: faults.cutter?.(cutter, place) ?? cutter,
        disk: faults.disk?.(disk, folder, process) ?? disk,
        tally,
        reporter: new ProgressReporter(this.#observer(process), tally, context.clock),
        context,
      },
      new AbortController().signal,
    );
    process.note('syncs');
    session.then(
      () => (this.ending = 'it ended'),
      (thrown: unknown) => (this.ending = describe(thrown)),
    );
  }

  #keeper(process: SimulatedProcess): TextKeeper {
    return {
      read: (path) => Promise.resolve(this.#texts.get(path)),
      write: async (path, text) => {
        await process.moment(`${path} about to be kept`);
        this.#texts.set(path, text);
        await process.step(`${path} kept`);
      },
    };
  }

  #sight(root: string, process: SimulatedProcess): FolderSight {
    return {
      scanner: new TreeScanner(root, process.context.clock, readerOf(this.folder, root)),
      startWatch: () => Promise.resolve(new SimulatedWatch(this.folder, process)),
    };
  }

  #observer(process: SimulatedProcess): SyncObserver {
    return {
      progress: ({ phase }) => {
        if (phase !== this.phase) process.note(`is ${phase}`);
        this.phase = phase;
      },
      problem: ({ name, problem }) => process.note(`problem: ${name}: ${problem}`),
      conflict: ({ path, keptAs }) => process.note(`conflict: ${path} kept as ${keptAs}`),
      waiting: (reason, retryInMs) => {
        this.lastWait = reason;
        process.note(`waits ${retryInMs} ms: ${reason}`);
      },
    };
  }

  #crashed(crash: Crash): void {
    const { random } = this.world;
    if (this.#process !== undefined) this.network.crashed(this.#process);
    this.phase = 'down';
    this.#store = undefined;
    if (crash === 'power cut') {
      this.powerCuts++;
      this.folder.losePower(random);
    } else {
      this.folder.sync();
    }
    this.#trees.crashed(crash, this.world);
    this.onCrash();
  }
}

function describe(thrown: unknown): string {
  const { code, reason, message, cause } = toDrystoneError(thrown);
  return `${code} ${reason}: ${message}${cause instanceof Error ? `\n${cause.stack ?? ''}` : ''}`;
}
