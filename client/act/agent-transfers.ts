import type { Cursor, NamespaceId, PremisesName } from '../../common/ids.js';
import type { Random } from '../../common/random.js';
import type { AgentDirectory } from '../connection/agent-directory.js';
import type { Cutter } from '../observe/cutter.js';
import type { LocalBlockIndex } from '../state/local-block-index.js';
import type { SyncTally } from '../tally.js';
import type { Upstream } from '../upstream/upstream.js';
import { rankCandidates } from './choose-target.js';
import type { Disk } from './disk/disk-task.js';
import type { BlockSource } from './download/block-fetcher.js';
import { fetchFiles } from './download/fetch-files.js';
import type { Transfers } from './round.js';
import { upload, type UploadParts } from './upload/upload.js';

export interface AgentTransfersParts {
  readonly namespaceId: NamespaceId;
  readonly premises: PremisesName | undefined;
  /** Where an upload that begins now goes. */
  readonly upstream: () => Upstream;
  readonly agents: AgentDirectory;
  readonly cutter: Cutter;
  readonly disk: Disk;
  readonly index: LocalBlockIndex;
  readonly random: Random;
  readonly tally: SyncTally;
  /** Notes what is about to be sent; see `UploadParts.onOffer`. */
  readonly onOffer: UploadParts['onOffer'];
  /** Metadata's last cursor after a commit. */
  readonly onCursor: (cursor: Cursor) => void;
}

/** Transfers between the folder and the agents that hold the namespace. */
export function agentTransfers(parts: AgentTransfersParts): Transfers {
  const { premises, agents, tally } = parts;
  return {
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
    fetch(operations, places, onOutcome, signal) {
      const sources = sourcesOf(agents, premises, (sizeBytes) => {
        tally.add('blocksFetched');
        tally.add('bytesFetched', sizeBytes);
      });
      return fetchFiles(operations, { ...parts, sources, places, onOutcome }, signal);
    },
  };
}

/** All agents that hold the namespace, the nearest first. */
export function sourcesOf(
  agents: AgentDirectory,
  premises: PremisesName | undefined,
  onFetched: (sizeBytes: number) => void,
): BlockSource[] {
  return rankCandidates(agents.candidates(), 'fetch', premises)
    .flat()
    .map(({ agentId }) => ({
      blocks: agents.blocksOf(agentId),
      onFetched,
      onFailure: (error) => agents.noteFailure(agentId, error),
    }));
}
