import type { AccountName, NamespaceName, PremisesName } from '../common/ids.js';
import type { ProgramContext } from '../common/program/context.js';
import type { SyncObserver, SyncSummary } from './progress.js';

/** What a sync of one folder needs to know. */
export interface SyncConfig {
  /** The folder; it is made where it does not exist. Its `.drystone` directory holds what the client knows. */
  readonly root: string;
  readonly namespace: NamespaceName;
  readonly account: AccountName;
  /** HOST:PORT of the metadata service. */
  readonly metadata: string;
  /** The site whose agents are preferred, or undefined for no preference. */
  readonly premises: PremisesName | undefined;
  /** Where the device's key lies, `device.key`; made on first use. */
  readonly homeDir: string;
  /** End as soon as both sides are equal, instead of watching for changes. */
  readonly once: boolean;
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

/**
 * Syncs a folder with a namespace. Resolves once the folder is locked and its state is open; everything after that,
 * waiting for a metadata service that is away included, happens while it runs.
 *
 * Raises FAILED_PRECONDITION: FOLDER_BUSY where another client has the folder, FOLDER_OF_OTHER_NAMESPACE where it is synced
 * with another one, DATA_FORMAT_NEWER where a newer release wrote its state.
 */
export declare function startSync(
  config: SyncConfig,
  context: ProgramContext,
  observer: SyncObserver,
): Promise<RunningSync>;
