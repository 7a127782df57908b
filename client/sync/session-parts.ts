import type { KeyObject } from 'node:crypto';
import type { TextKeeper } from '../../common/files/text-keeper.js';
import type { TokenVerifier } from '../../common/identity/access-tokens.js';
import type { TokenTime } from '../../common/identity/offline-grace.js';
import type { DeviceId, NamespaceName, PremisesName } from '../../common/ids.js';
import type { ProgramContext } from '../../common/program/context.js';
import type { Disk } from '../act/disk/disk-task.js';
import type { Connect } from '../connection/connect.js';
import type { Bandwidth } from '../connection/limited-block-client.js';
import type { Cutter } from '../observe/cutter.js';
import type { FolderSight } from '../observe/folder-sight.js';
import type { OpenPeers } from '../peers/open-peers.js';
import type { TreeStore } from '../state/tree-store.js';
import type { SyncTally } from '../tally.js';
import type { ProgressReporter } from './progress-reporter.js';

/** What a sync is made of. */
export interface SessionParts {
  /** Absolute. */
  readonly root: string;
  readonly namespace: NamespaceName;
  readonly metadata: string;
  readonly premises: PremisesName | undefined;
  readonly once: boolean;
  /** Begins to share blocks with other endpoints; undefined where none are shared. */
  readonly peers: OpenPeers | undefined;
  readonly bandwidth: Bandwidth;
  /** This device, and the private key that its id follows from. */
  readonly deviceId: DeviceId;
  readonly signingKey: KeyObject;
  /** The machine's name: what tells the folder from one at the same place on another. */
  readonly host: string;
  /** What tells the folder's state from a copy that was put in its place, as far as the file system can. */
  readonly stateOrigin: string;
  /** Opens channels as this device. */
  readonly connect: Connect;
  /** Makes what verifies the access tokens of other devices, judged as of `time`. */
  readonly verifierAt: (time: TokenTime) => TokenVerifier;
  readonly sight: FolderSight;
  readonly store: TreeStore;
  /** Where the folder's state keeps what metadata last said. */
  readonly texts: TextKeeper;
  readonly cutter: Cutter;
  readonly disk: Disk;
  readonly tally: SyncTally;
  readonly reporter: ProgressReporter;
  readonly context: ProgramContext;
}
