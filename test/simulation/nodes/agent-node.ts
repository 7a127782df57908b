import { createAgentFeeds } from '../../../agent/feed/agent-feeds.js';
import type { FeedStore } from '../../../agent/feed/feed-store.js';
import { MemoryFeedStore } from '../../../agent/feed/memory-feed-store.js';
import { KeptLastWord } from '../../../agent/last-word.js';
import { AssignedNamespaces } from '../../../agent/assigned-namespaces.js';
import { FleetStanding } from '../../../agent/fleet-standing.js';
import { MetadataLink } from '../../../agent/metadata-link.js';
import { KeptTokenKeys } from '../../../agent/token-keys.js';
import { DrystoneError } from '../../../common/errors.js';
import type { NamespaceId } from '../../../common/ids.js';
import type { TextKeeper } from '../../../common/files/text-keeper.js';
import { judgedAtLastWord } from '../../../common/identity/offline-grace.js';
import { blockServerLimits } from '../../../common/limits.js';
import { CallGate } from '../../../common/rpc/call-gate.js';
import { FeedServiceService } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { FleetServiceService } from '../../../proto/gen/drystone/metadata/v1/fleet.js';
import { tokenAccess } from '../../../server/block-access.js';
import { createBlockMetrics } from '../../../server/block-metrics.js';
import { createBlockService } from '../../../server/block-service.js';
import type { BlockStore } from '../../../server/block-store.js';
import { MemoryBlockStore } from '../../../server/memory-block-store.js';
import { createReceiptSigner } from '../../../server/receipt-signer.js';
import type { SampleAgent } from '../../support/metadata/samples.js';
import type { SimulatedNetwork } from '../network/network.js';
import { SimulatedProcess, type World } from '../process.js';
import { METADATA_ADDRESS } from './metadata-node.js';
import { PlainVerifier } from './tokens.js';

const GIB = 2 ** 30;

/** What a planted fault changes of an agent. */
export interface AgentFaults {
  readonly blocks?: (store: BlockStore, process: SimulatedProcess) => BlockStore;
}

/** An agent on its machine: blocks, assignments and token keys stay over crashes. */
export class AgentNode {
  /** What is on its disk. */
  readonly blocks = new MemoryBlockStore();
  readonly feeds = new MemoryFeedStore();
  readonly #texts = new Map<string, string>();
  isFull = false;
  #process: SimulatedProcess | undefined;

  constructor(
    private readonly world: World,
    private readonly network: SimulatedNetwork,
    readonly agent: SampleAgent,
    private readonly skewMs: number,
    private readonly faults: AgentFaults,
    private readonly onCrash: () => void,
  ) {}

  get process(): SimulatedProcess | undefined {
    return this.#process;
  }

  get site(): string {
    return this.agent.row.premises;
  }

  async start(): Promise<void> {
    const { agent, site, network } = this;
    const process = new SimulatedProcess(agent.row.address, this.world, this.skewMs, () => {
      network.crashed(process);
      this.onCrash();
    });
    this.#process = process;
    const { clock, random, logger, registry } = process.context;
    const keeper = this.#keeper(process);
    const lastWord = await KeptLastWord.load('last word', process.context, keeper);
    const time = judgedAtLastWord(clock, lastWord);
    const verifier = new PlainVerifier(time);
    const tokenKeys = await KeptTokenKeys.load('token keys', verifier, keeper);
    const assigned = await AssignedNamespaces.load('assignments', keeper);
    const standing = new FleetStanding(assigned, tokenKeys, logger);
    const metrics = createBlockMetrics(registry);
    const durable = this.#durably(process);
    const store = this.faults.blocks?.(durable, process) ?? durable;
    const isAssigned = (namespaceId: NamespaceId): boolean => assigned.holds(namespaceId);
    const isRevoked = (): boolean => standing.isRevoked;
    const access = tokenAccess({ verifier, isAssigned, isRevoked, clock, time, metrics });
    const receipts = createReceiptSigner({ id: agent.id, privateKey: agent.privateKey }, clock);
    const service = createBlockService({ store, access, receipts, metrics, registry });
    const { address, premises } = agent.row;
    const caller = { kind: 'agent', agentId: agent.id, premises } as const;
    const channel = network.open({ process, site, caller }, METADATA_ADDRESS);
    const feeds = createAgentFeeds(
      {
        agentId: agent.id,
        store: feedsOnDisk(this.feeds, process),
        blocks: store,
        receipts,
        access,
        assigned,
        feed: channel.service(FeedServiceService),
      },
      process.context,
    );
    network.listen(address, { process, site, services: [service, feeds.service], gate: new CallGate({ clock }) });
    const link = new MetadataLink({
      fleet: channel.service(FleetServiceService),
      agentId: agent.id,
      address,
      assigned,
      tokenKeys,
      standing,
      onHeard: () => lastWord.heard(),
      readCapacity: () =>
        Promise.resolve({ freeBytes: GIB, totalBytes: GIB, freeFloorBytes: 0, blockCount: 0, blockBytes: 0 }),
      clock,
      random,
      logger,
    });
    feeds.start();
    link.start();
    process.note('serves');
  }

  /** The block store, whose puts are steps: what a crash meets before its sync is not there afterwards. */
  #durably(process: SimulatedProcess): BlockStore {
    const { blocks } = this;
    return {
      put: async (namespaceId, put) => {
        if (this.isFull) throw diskFull();
        await process.step(`put of ${put.length} blocks begins`);
        const outcome = await blocks.put(namespaceId, put);
        await process.step('blocks are durable');
        return outcome;
      },
      sizes: (namespaceId, hashes) => blocks.sizes(namespaceId, hashes),
      get: async (namespaceId, hashes) => {
        await process.context.clock.sleep(process.context.random.fraction());
        return blocks.get(namespaceId, hashes);
      },
      discard: (hash) => blocks.discard(hash),
      stats: () => blocks.stats(),
      close: () => Promise.resolve(),
    };
  }

  #keeper(process: SimulatedProcess): TextKeeper {
    return {
      read: (path) => Promise.resolve(this.#texts.get(path)),
      write: async (path, text) => {
        await process.step(`${path} about to be kept`);
        this.#texts.set(path, text);
        await process.step(`${path} kept`);
      },
    };
  }
}

/** The feeds, whose writes are steps, in the order of the calls. */
function feedsOnDisk(feeds: FeedStore, process: SimulatedProcess): FeedStore {
  let last: Promise<unknown> = Promise.resolve();
  const durably = <T>(name: string, write: () => Promise<T>): Promise<T> => {
    const turn = last.then(async () => {
      await process.moment(`${name} begins`);
      return write();
    });
    last = turn.catch(() => undefined);
    return turn.then(async (outcome) => {
      await process.step(`${name} is durable`);
      return outcome;
    });
  };
  return {
    progress: (id) => feeds.progress(id),
    feedHead: (id) => feeds.feedHead(id),
    readFeed: (id, query) => feeds.readFeed(id, query),
    historyOf: (id, cursor) => feeds.historyOf(id, cursor),
    follow: (id, part) => durably('following', () => feeds.follow(id, part)),
    push: (id, push) => durably('a provisional push', () => feeds.push(id, push)),
    firstProvisional: (id) => feeds.firstProvisional(id),
    removeProvisional: (id, sequence) => durably('forgetting a message', () => feeds.removeProvisional(id, sequence)),
    drop: (id) => durably('dropping a feed', () => feeds.drop(id)),
    namespaces: () => feeds.namespaces(),
    stats: () => feeds.stats(),
    onMoved: (listener) => {
      feeds.onMoved((id, cursor) => {
        if (process.isAlive) listener(id, cursor);
      });
    },
    close: () => Promise.resolve(),
  };
}

function diskFull(): DrystoneError {
  const details = { retryAfterMs: Math.min(blockServerLimits.diskFullRetryMs, 5_000) };
  return new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', 'the disk of the agent is full', details);
}
