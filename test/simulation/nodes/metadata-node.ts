import { CallGate } from '../../../common/rpc/call-gate.js';
import type { ServedService } from '../../../common/rpc/server.js';
import { createMetadataParts } from '../../../metadata/parts.js';
import type { JournalStore, MetadataStore } from '../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../metadata/store/memory-store.js';
import type { SimulatedNetwork } from '../network/network.js';
import { never, SimulatedProcess, type Crash, type World } from '../process.js';
import { signPlainly } from './tokens.js';

export const METADATA_ADDRESS = 'metadata.example:7410';
export const CENTRE = 'centre';

/** What a planted fault changes of a metadata service; see test/simulation/faults. */
export interface MetadataFaults {
  readonly store?: (store: MetadataStore, process: SimulatedProcess) => MetadataStore;
  readonly services?: (
    services: readonly ServedService[],
    store: MetadataStore,
    process: SimulatedProcess,
  ) => readonly ServedService[];
}

/** The metadata service on its machine: what is committed stays over crashes, everything else begins anew. */
export class MetadataNode {
  /** What is on its disk. */
  readonly store = createMemoryStore();
  #process: SimulatedProcess | undefined;
  #ended: AbortController | undefined;
  #stopListening: (() => void)[] = [];

  constructor(
    private readonly world: World,
    private readonly network: SimulatedNetwork,
    private readonly faults: MetadataFaults,
    private readonly onCrash: () => void,
  ) {}

  get process(): SimulatedProcess | undefined {
    return this.#process;
  }

  async start(): Promise<void> {
    const process = new SimulatedProcess('metadata', this.world, 0, (crash) => this.#crashed(crash));
    this.#process = process;
    const durable = this.#durably(process);
    const store = this.faults.store?.(durable, process) ?? durable;
    const ca = { issue: never };
    const ground = { store, ca, pinned: Buffer.alloc(32), signToken: signPlainly };
    const parts = await createMetadataParts(ground, process.context);
    const { clock } = process.context;
    const gate = new CallGate({ clock, isRevoked: (caller) => parts.access.isRevoked(caller) });
    const services = this.faults.services?.(parts.services, store, process) ?? parts.services;
    this.network.listen(METADATA_ADDRESS, { process, site: CENTRE, services, gate });
    this.#ended = new AbortController();
    void parts.keepWatch(this.#ended.signal);
    process.note('serves');
  }

  #crashed(_crash: Crash): void {
    if (this.#process !== undefined) this.network.crashed(this.#process);
    for (const stop of this.#stopListening.splice(0)) stop();
    this.onCrash();
  }

  /** The store, whose commits are steps: a crash comes before the sync, after it, or not. */
  #durably(process: SimulatedProcess): MetadataStore {
    const { store } = this;
    let last: Promise<unknown> = Promise.resolve();
    const journal: JournalStore = {
      commit: async (namespaceId, batch) => {
        // Commits take effect in the order of the calls.
        const turn = last.then(async () => {
          await process.step(`commit of ${batch.items.length} items and ${batch.stored.length} receipts begins`);
          return store.journal.commit(namespaceId, batch);
        });
        last = turn.catch(() => undefined);
        const decision = await turn;
        await process.step(`committed up to ${decision.feed.cursor}`);
        return decision;
      },
      feedHead: (namespaceId) => store.journal.feedHead(namespaceId),
      readFeed: async (namespaceId, query) => {
        const slice = await store.journal.readFeed(namespaceId, query);
        await process.context.clock.sleep(process.context.random.fraction());
        return slice;
      },
      historyOf: (namespaceId, cursor) => store.journal.historyOf(namespaceId, cursor),
    };
    return {
      ...partsOf(store),
      journal,
      onChange: (listener) => {
        const stop = store.onChange((change) => {
          if (process.isAlive) listener(change);
        });
        this.#stopListening.push(stop);
        return stop;
      },
    };
  }
}

/** All parts of a store as an object of its own, of which some can be replaced. */
export function partsOf(store: MetadataStore): MetadataStore {
  const { accounts, enrollment, audit, directory, presence, journal, knowledge } = store;
  return {
    accounts,
    enrollment,
    audit,
    directory,
    presence,
    journal,
    knowledge,
    stats: () => store.stats(),
    onChange: (listener) => store.onChange(listener),
    close: () => store.close(),
  };
}
