import type { SourceKind } from './act/download/source-order.js';
import type { SyncCounts, SyncMode, SyncSummary } from './progress.js';

const COUNT_OF_KIND = {
  'site-peer': 'bytesFromSitePeers',
  'site-agent': 'bytesFromSiteAgents',
  'other-agent': 'bytesFromOtherAgents',
  'remote-peer': 'bytesFromRemotePeers',
} as const satisfies Readonly<Record<SourceKind, keyof SyncCounts>>;

/** What a sync counts as it goes. */
export class SyncTally {
  readonly #counts = {
    itemsCommitted: 0,
    itemsApplied: 0,
    filesFetched: 0,
    filesMoved: 0,
    blocksAsked: 0,
    blocksMissing: 0,
    blocksUploaded: 0,
    bytesUploaded: 0,
    bytesSaved: 0,
    blocksFetched: 0,
    bytesFetched: 0,
    bytesFromLocal: 0,
    bytesFromSitePeers: 0,
    bytesFromSiteAgents: 0,
    bytesFromOtherAgents: 0,
    bytesFromRemotePeers: 0,
    blocksGiven: 0,
    bytesGiven: 0,
    peersFound: 0,
    peerSessions: 0,
    peersBanned: 0,
    conflicts: 0,
    problems: 0,
  };
  /** How the sync stands now. */
  mode: SyncMode = 'online';
  itemsProvisional = 0;
  /** For progress: operations and bytes of content, done and known of. */
  readonly work = { itemsDone: 0, itemsTotal: 0, bytesDone: 0, bytesTotal: 0 };

  add(count: keyof SyncCounts, amount = 1): void {
    this.#counts[count] += amount;
  }

  /** A block of so many bytes came from elsewhere. */
  fetched(kind: SourceKind, sizeBytes: number): void {
    this.add('blocksFetched');
    this.add('bytesFetched', sizeBytes);
    this.add(COUNT_OF_KIND[kind], sizeBytes);
  }

  summary(): SyncSummary {
    return { ...this.#counts, mode: this.mode, itemsProvisional: this.itemsProvisional };
  }
}
