import type { Disk } from '../../../client/act/disk/disk-task.js';
import type { Cutter } from '../../../client/observe/cutter.js';
import type { FolderSight } from '../../../client/observe/folder-sight.js';
import { TreeScanner } from '../../../client/observe/scan-tree.js';
import { openPeers, type OpenPeers, type PeerGround } from '../../../client/peers/open-peers.js';
import type { SyncMode, SyncObserver, SyncPhase } from '../../../client/progress.js';
import type { TreeStore } from '../../../client/state/tree-store.js';
import { ProgressReporter } from '../../../client/sync/progress-reporter.js';
import { runSession } from '../../../client/sync/session.js';
import { SyncTally } from '../../../client/tally.js';
import { toDrystoneError } from '../../../common/errors.js';
import type { TextKeeper } from '../../../common/files/text-keeper.js';
import type { PremisesName } from '../../../common/ids.js';
import type { RpcChannel } from '../../../common/rpc/client.js';
import { cutterOf } from '../folder/folder-cutter.js';
import { SimulatedDisk } from '../folder/folder-disk.js';
import { readerOf } from '../folder/folder-reader.js';
import { SimulatedWatch } from '../folder/folder-watch.js';
import { SimulatedFolder } from '../folder/folder.js';
import type { SimulatedNetwork } from '../network/network.js';
import { SimulatedProcess, type Crash, type World } from '../process.js';
import { simulatedGround } from './client-peers.js';
import { KeptTrees } from './kept-trees.js';
import type { ClientPlace } from './client-place.js';
import { METADATA_ADDRESS } from './metadata-node.js';
import { PlainVerifier } from './tokens.js';

/** What a planted fault changes of a client. */
export interface ClientFaults {
  readonly trees?: (store: TreeStore, process: SimulatedProcess) => TreeStore;
  readonly disk?: (disk: Disk, folder: SimulatedFolder, process: SimulatedProcess) => Disk;
  readonly cutter?: (cutter: Cutter, place: ClientPlace) => Cutter;
  readonly channel?: (channel: RpcChannel, process: SimulatedProcess) => RpcChannel;
  readonly peers?: (ground: PeerGround, process: SimulatedProcess) => PeerGround;
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
  lastWait = '';
  mode: SyncMode = 'online';
  /** How often it has begun to go on with other clients alone. */
  desertions = 0;
  #tally = new SyncTally();
  #blocksGiven = 0;

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

  /** Blocks that it has given to other clients. */
  get blocksGiven(): number {
    return this.#blocksGiven + this.#tally.summary().blocksGiven;
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
    this.#tally = tally;
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
        peers: this.#peers(disk, process),
        bandwidth: { up: undefined, down: undefined },
        deviceId: place.device,
        signingKey: place.signingKey,
        texts: this.#keeper(process),
        host: place.name,
        stateOrigin: '',
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

  #peers(disk: SimulatedDisk, process: SimulatedProcess): OpenPeers | undefined {
    const { network, place, faults } = this;
    if (place.peers === undefined) return undefined;
    const ground = simulatedGround(network, place, disk, process);
    return openPeers(faults.peers?.(ground, process) ?? ground);
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
      progress: ({ phase, mode }) => {
        if (phase !== this.phase) process.note(`is ${phase}`);
        if (mode !== this.mode) process.note(`mode ${mode}`);
        if (mode !== this.mode && mode === 'peers') this.desertions++;
        this.phase = phase;
        this.mode = mode;
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
    this.mode = 'online';
    this.#blocksGiven += this.#tally.summary().blocksGiven;
    this.#tally = new SyncTally();
    this.#store = undefined;
    if (crash === 'power cut') {
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
