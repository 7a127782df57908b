import { lstat, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { ByteRate } from '../common/concurrency/byte-rate.js';
import { DrystoneError } from '../common/errors.js';
import { makeDirectory } from '../common/files/make-directory.js';
import { PRIVATE_MARK } from '../common/files/private-mark.js';
import { durableTexts } from '../common/files/text-keeper.js';
import { AccessTokenVerifier } from '../common/identity/access-tokens.js';
import type { TokenTime } from '../common/identity/offline-grace.js';
import { keepRenewed } from '../common/identity/renewal.js';
import type { NamespaceName, PremisesName } from '../common/ids.js';
import type { ProgramContext } from '../common/program/context.js';
import { FORMAT_FILE, openDataDirectory, type DataDirectory } from '../common/program/data-directory.js';
import { startDiskPool } from './act/disk/disk-pool.js';
import type { Disk } from './act/disk/disk-task.js';
import { clearTemporaries } from './act/download/partial-files.js';
import { temporaryDirectoryOf } from './act/folder-places.js';
import { connectOver } from './connection/connect.js';
import { openDevice, renewalOf, type Device } from './connection/device.js';
import type { Cutter } from './observe/cutter.js';
import { diskSight } from './observe/folder-sight.js';
import { findOuterFolder } from './folder-status.js';
import { STATE_DIRECTORY } from './observe/ignore-rules.js';
import { startPiscinaCutter } from './observe/piscina-cutter.js';
import { deviceGround } from './peers/device-ground.js';
import { openPeers } from './peers/open-peers.js';
import type { PeerConfig } from './peers/peer-network.js';
import type { SyncObserver, SyncSummary } from './progress.js';
import { TREES_DIRECTORY } from './state/lmdb-state-facts.js';
import { openLmdbTreeStore } from './state/lmdb-tree-store.js';
import { awaitRoom } from './sync/await-room.js';
import { ProgressReporter } from './sync/progress-reporter.js';
import { runSession } from './sync/session.js';
import { SyncTally } from './tally.js';

/** What a sync of one folder needs to know. */
export interface SyncConfig {
  /** The folder; it is made where it does not exist. Its `.drystone` directory holds what the client knows. */
  readonly root: string;
  readonly namespace: NamespaceName;
  /** HOST:PORT of the metadata service. */
  readonly metadata: string;
  /** The site whose agents are preferred, or undefined for no preference. */
  readonly premises: PremisesName | undefined;
  /** Where the device's key and certificate lie, since its login; the certificate is renewed there. */
  readonly homeDir: string;
  /** End as soon as both sides are equal, instead of watching for changes. */
  readonly once: boolean;
  /** How blocks are shared with other endpoints of the namespace; undefined where they are not. */
  readonly peers: PeerConfig | undefined;
  /** Bytes of blocks a second that may leave this endpoint, and come to it, at the most; undefined for no limit. */
  readonly maxUploadRate: number | undefined;
  readonly maxDownloadRate: number | undefined;
}

/** A sync that is running. */
export interface RunningSync {
  /**
   * Resolves when the sync has ended: with `once` when nothing is left to do, otherwise after {@link stop}. Rejects with a
   * DrystoneError where it cannot go on; then too everything is closed and the folder is released.
   */
  readonly finished: Promise<SyncSummary>;
  /** What it has done so far; at the change to `quiet` it covers everything up to then. */
  summary(): SyncSummary;
  /** Ends the sync between two durable steps: what is under way is abandoned and found again at the next start. */
  stop(): Promise<void>;
}

/** The format of a folder's state that this release reads and writes (docs/storage-format.md). */
const STATE_FORMAT = 2;

/** What does the heavy work beside the control thread. */
export interface SyncWorkers {
  readonly cutter: Cutter;
  readonly disk: Disk;
}

/**
 * Syncs a folder with a namespace. Resolves once the folder is locked and its state is open; everything after that,
 * waiting for a metadata service that is away included, happens while it runs.
 *
 * Raises FAILED_PRECONDITION: IDENTITY_MISSING where the device has not logged in, DIRECTORY_UNUSABLE where there is no directory
 * and none can be made, FOLDER_NESTED where it lies in a synced one, FOLDER_BUSY where another client has the folder,
 * FOLDER_OF_OTHER_NAMESPACE (from `finished`) where it is synced with another one, DATA_FORMAT_NEWER where a newer release wrote
 * its state. `finished` rejects with NOT_FOUND (NAMESPACE_UNKNOWN) as soon as the account is no member, and
 * with UNAUTHENTICATED (IDENTITY_REVOKED, CERTIFICATE_EXPIRED, …) as soon as the device is nobody to metadata any more.
 *
 * `workers` are closed with the sync; on worker threads unless given.
 */
export async function startSync(
  config: SyncConfig,
  context: ProgramContext,
  observer: SyncObserver,
  workers: SyncWorkers = { cutter: startPiscinaCutter({ clock: context.clock }), disk: startDiskPool() },
): Promise<RunningSync> {
  const device = await openDevice(config.homeDir);
  const root = resolve(config.root);
  const directory = await openFolder(root);
  const closing: (() => Promise<void>)[] = [() => directory.release()];
  const close = async (): Promise<void> => {
    for (const step of closing.reverse()) await step();
  };
  try {
    const tally = new SyncTally();
    const reporter = new ProgressReporter(observer, tally, context.clock);
    const ended = new AbortController();
    const untilRoom = awaitRoom(reporter, context.clock, config.once, ended.signal);
    const store = openLmdbTreeStore(join(directory.path, TREES_DIRECTORY), untilRoom);
    closing.push(
      () => store.close(),
      () => workers.cutter.close(),
      () => workers.disk.close(),
    );
    const bandwidth = { up: byteRate(config.maxUploadRate, context), down: byteRate(config.maxDownloadRate, context) };
    const folder = {
      root,
      host: hostname(),
      stateOrigin: await originOf(directory),
      sight: diskSight(root, context.clock, [temporaryDirectoryOf(root)]),
      store,
    };
    const connect = connectOver(device.transport);
    const { id, held } = device;
    const session = {
      ...config,
      ...workers,
      ...folder,
      deviceId: id,
      signingKey: held.privateKey,
      connect,
      verifierAt: (time: TokenTime) => new AccessTokenVerifier(context.clock, time),
      texts: durableTexts,
      bandwidth,
      tally,
      reporter,
      context,
      peers: config.peers && openPeers(deviceGround(config.peers, device)),
    };
    const finished = whileRenewed(device, config, context, runSession(session, ended.signal))
      .catch((thrown: unknown) => {
        if (!ended.signal.aborted) throw thrown;
      })
      .finally(close)
      .then(() => tally.summary());
    // Whoever waits for it is told; that nobody does yet is no reason to end the process.
    finished.catch(() => undefined);
    return {
      finished,
      summary: () => tally.summary(),
      async stop() {
        ended.abort();
        await finished.catch(() => undefined);
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function byteRate(bytesPerSecond: number | undefined, { clock }: ProgramContext): ByteRate | undefined {
  return bytesPerSecond === undefined ? undefined : new ByteRate(bytesPerSecond, clock);
}

/** What `work` comes to; until then the device's certificate is renewed in time. */
async function whileRenewed(
  device: Device,
  config: SyncConfig,
  context: ProgramContext,
  work: Promise<void>,
): Promise<void> {
  const ended = new AbortController();
  const renewal = keepRenewed(renewalOf(device, config, context), ended.signal);
  try {
    await work;
  } finally {
    ended.abort();
    await renewal;
  }
}

/** A folder in a synced one would be synced twice, each time with what the other has just brought. */
async function makeFolder(root: string): Promise<void> {
  const outer = await findOuterFolder(root);
  if (outer !== undefined) {
    const message = `${root} lies in ${outer}, which is synced as a whole; choose a folder that lies in no synced one`;
    throw new DrystoneError('FAILED_PRECONDITION', 'FOLDER_NESTED', message);
  }
  await makeDirectory(root);
  const mark = await lstat(join(root, PRIVATE_MARK)).catch(() => undefined);
  if (mark?.isFile() === true) {
    const message = `${root} holds keys or data of Drystone, which are never synced; choose another folder`;
    throw new DrystoneError('FAILED_PRECONDITION', 'DIRECTORY_UNUSABLE', message);
  }
}

/** When the state was made, as far as the file system remembers: a copy of it, as a backup brings back, was made later. */
async function originOf(state: DataDirectory): Promise<string> {
  const { birthtimeNs } = await stat(join(state.path, FORMAT_FILE), { bigint: true });
  return String(birthtimeNs);
}

/** Locks the folder for this process and clears what an earlier one has left, except downloads that can go on. */
async function openFolder(root: string): Promise<DataDirectory> {
  await makeFolder(root);
  const path = join(root, STATE_DIRECTORY);
  try {
    const directory = await openDataDirectory({
      path,
      program: 'client',
      formatVersion: STATE_FORMAT,
      oldestFormatVersion: STATE_FORMAT,
    });
    const temporaryDirectory = temporaryDirectoryOf(root);
    await makeDirectory(temporaryDirectory, 0o700);
    await clearTemporaries(temporaryDirectory);
    return directory;
  } catch (thrown) {
    if (!(thrown instanceof DrystoneError)) throw thrown;
    if (thrown.reason === 'DATA_FORMAT_OLDER') {
      const message = `${path} was written by a pre-release; remove it, the next sync finds out again what agrees`;
      throw new DrystoneError(thrown.code, thrown.reason, message, {}, { cause: thrown });
    }
    if (thrown.reason !== 'DATA_DIRECTORY_BUSY') throw thrown;
    const message = `${root} is being synced by process ${thrown.details.facts?.processId}; stop that one first`;
    throw new DrystoneError('FAILED_PRECONDITION', 'FOLDER_BUSY', message, thrown.details, { cause: thrown });
  }
}
