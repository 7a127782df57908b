import { AssignedNamespaces } from '../../../agent/assigned-namespaces.js';
import { FleetStanding } from '../../../agent/fleet-standing.js';
import { MetadataLink } from '../../../agent/metadata-link.js';
import { KeptTokenKeys } from '../../../agent/token-keys.js';
import { DrystoneError } from '../../../common/errors.js';
import type { TextKeeper } from '../../../common/files/text-keeper.js';
import { blockServerLimits } from '../../../common/limits.js';
import { CallGate } from '../../../common/rpc/call-gate.js';
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
    const verifier = new PlainVerifier(clock);
    const keeper = this.#keeper(process);
    const tokenKeys = await KeptTokenKeys.load('token keys', verifier, keeper);
    const assigned = await AssignedNamespaces.load('assignments', keeper);
    const standing = new FleetStanding(assigned, tokenKeys, logger);
    const metrics = createBlockMetrics(registry);
    const durable = this.#durably(process);
    const service = createBlockService({
      store: this.faults.blocks?.(durable, process) ?? durable,
      access: tokenAccess({
        verifier,
        isAssigned: (namespaceId) => assigned.holds(namespaceId),
        isRevoked: () => standing.isRevoked,
        clock,
        metrics,
      }),
      receipts: createReceiptSigner({ id: agent.id, privateKey: agent.privateKey }, clock),
      metrics,
      registry,
    });
    const { address, premises } = agent.row;
    network.listen(address, { process, site, services: [service], gate: new CallGate({ clock }) });
    const caller = { kind: 'agent', agentId: agent.id, premises } as const;
    const channel = network.open({ process, site, caller }, METADATA_ADDRESS);
    const link = new MetadataLink({
      fleet: channel.service(FleetServiceService),
      agentId: agent.id,
      address,
      assigned,
      tokenKeys,
      standing,
      onHeard: () => undefined,
      readCapacity: () =>
        Promise.resolve({ freeBytes: GIB, totalBytes: GIB, freeFloorBytes: 0, blockCount: 0, blockBytes: 0 }),
      clock,
      random,
      logger,
    });
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

function diskFull(): DrystoneError {
  const details = { retryAfterMs: Math.min(blockServerLimits.diskFullRetryMs, 5_000) };
  return new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', 'the disk of the agent is full', details);
}
