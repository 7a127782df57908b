import type { Clock } from '../../common/clock.js';
import type { Cursor, DeviceId, NamespaceId, PremisesName } from '../../common/ids.js';
import type { Random } from '../../common/random.js';
import type { AgentDirectory } from '../connection/agent-directory.js';
import type { Cutter } from '../observe/cutter.js';
import type { PeerNetwork } from '../peers/peer-network.js';
import type { LocalBlockIndex } from '../state/local-block-index.js';
import type { SyncTally } from '../tally.js';
import type { Upstream } from '../upstream/upstream.js';
import { rankCandidates } from './choose-target.js';
import type { Disk } from './disk/disk-task.js';
import type { BlockSource } from './download/block-source.js';
import type { SourceKind } from './download/source-order.js';
import { fetchFiles } from './download/fetch-files.js';
import type { Transfers } from './transfers.js';
import { readFiles } from './upload/read-files.js';
import { upload, type UploadParts } from './upload/upload.js';

export interface AgentTransfersParts {
  readonly namespaceId: NamespaceId;
  readonly premises: PremisesName | undefined;
  /** Where an upload that begins now goes. */
  readonly upstream: () => Upstream;
  readonly agents: AgentDirectory;
  /** This endpoint, among those that share what there is to fetch. */
  readonly self: DeviceId;
  /** Undefined where blocks come from agents alone. */
  readonly peers: PeerNetwork | undefined;
  readonly cutter: Cutter;
  readonly disk: Disk;
  readonly index: LocalBlockIndex;
  readonly random: Random;
  readonly clock: Clock;
  /** Whether what is fetched is held to a bandwidth. */
  readonly isPaced: boolean;
  readonly tally: SyncTally;
  /** Notes what is about to be sent; see `UploadParts.onOffer`. */
  readonly onOffer: UploadParts['onOffer'];
  /** Looks at what the namespace holds where that is not what was sent. */
  readonly checkHeld: UploadParts['checkHeld'];
  /** Metadata's last cursor after a commit. */
  readonly onCursor: (cursor: Cursor) => void;
}

/** Transfers between the folder and the agents and endpoints that hold the namespace. */
export function agentTransfers(parts: AgentTransfersParts): Transfers {
  const { premises, agents, peers, tally } = parts;
  return {
    read(operations, places, onOutcomes, signal) {
      return readFiles(operations, { ...parts, absolutePath: (path) => places.absolutePath(path), onOutcomes }, signal);
    },
    upload(operations, places, onOutcomes, signal) {
      return upload(
        operations,
        {
          ...parts,
          absolutePath: (path) => places.absolutePath(path),
          upstream: parts.upstream(),
          onOutcomes,
        },
        signal,
      );
    },
    async fetch(operations, places, onOutcome, signal) {
      const wantedBytes = operations.reduce((sum, { item }) => sum + item.content.sizeBytes, 0);
      const coming = peers?.coming;
      // Said before anything is waited for: others may ask for these blocks already.
      coming?.begin(operations.map(({ item }) => item.content.blocks));
      try {
        const ofPeers = (await peers?.sources(wantedBytes, signal)) ?? [];
        const ofAgents = sourcesOf(agents, premises, (kind, sizeBytes) => tally.fetched(kind, sizeBytes));
        const sources = [...ofPeers, ...ofAgents];
        await fetchFiles(operations, { ...parts, sources, coming, places, onOutcome }, signal);
      } finally {
        coming?.end();
      }
    },
  };
}

/** All agents that hold the namespace, the nearest first. */
export function sourcesOf(
  agents: AgentDirectory,
  premises: PremisesName | undefined,
  onFetched: (kind: SourceKind, sizeBytes: number) => void,
): BlockSource[] {
  return rankCandidates(agents.candidates(), 'fetch', premises).flatMap((candidates, tier) =>
    candidates.map((candidate): BlockSource => {
      const { agentId: id } = candidate;
      const kind = premises === undefined || candidate.premises === premises ? 'site-agent' : 'other-agent';
      return {
        id,
        kind,
        tier,
        blocks: agents.blocksOf(id),
        isUsable: () => true,
        onFetched: (sizeBytes) => onFetched(kind, sizeBytes),
        onFailure: (error) => agents.noteFailure(id, error),
      };
    }),
  );
}
