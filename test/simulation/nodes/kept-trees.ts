import type { NamespaceId } from '../../../common/ids.js';
import { MemoryTreeStore } from '../../../client/state/memory-tree-store.js';
import type { StateChanges, TreeStore } from '../../../client/state/tree-store.js';
import type { Crash, SimulatedProcess, World } from '../process.js';

/** The longest after which what is visible is durable as well. */
const SYNC_MS = 200;

type Record =
  | { readonly kind: 'claim'; readonly namespaceId: NamespaceId; readonly nonce: string }
  | { readonly kind: 'write'; readonly changes: StateChanges };

/**
 * A client's state on its disk, as the contract of TreeStore promises it: writes become visible after a while, in order, and
 * durable later, in order. A killed client leaves all that was visible; a power cut takes some of the last along.
 */
export class KeptTrees {
  readonly #records: Record[] = [];
  /** By when each of the records survives a power cut, in their order. */
  readonly #durableAtMs: number[] = [];

  /** What the last program has left, opened by the next one. */
  async open(process: SimulatedProcess): Promise<TreeStore> {
    const trees = new MemoryTreeStore();
    for (const record of this.#records) await apply(record, trees);
    this.#durableAtMs.fill(0);
    return new OpenTrees(trees, process, {
      add: (record) => this.#add(record, process.world),
      sync: () => void this.#durableAtMs.fill(0),
    });
  }

  /** The program that had it open is gone. */
  crashed(crash: Crash, { time, random }: World): void {
    if (crash === 'kill') return;
    const durable = this.#durableAtMs.filter((atMs) => atMs <= time.nowMs).length;
    const kept = durable + Math.floor(random.fraction() * (this.#records.length - durable + 1));
    this.#records.length = kept;
    this.#durableAtMs.length = kept;
  }

  #add(record: Record, { time, random }: World): void {
    this.#records.push(record);
    const lastMs = this.#durableAtMs.at(-1) ?? 0;
    this.#durableAtMs.push(record.kind === 'claim' ? 0 : Math.max(lastMs, time.nowMs + random.fraction() * SYNC_MS));
  }
}

/** The state as one program has it open. */
class OpenTrees implements TreeStore {
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly trees: MemoryTreeStore,
    private readonly process: SimulatedProcess,
    private readonly disk: { readonly add: (record: Record) => void; readonly sync: () => void },
  ) {}

  get remote(): TreeStore['remote'] {
    return this.trees.remote;
  }

  get local(): TreeStore['local'] {
    return this.trees.local;
  }

  get synced(): TreeStore['synced'] {
    return this.trees.synced;
  }

  get offered(): TreeStore['offered'] {
    return this.trees.offered;
  }

  get provisional(): TreeStore['provisional'] {
    return this.trees.provisional;
  }

  get inHand(): TreeStore['inHand'] {
    return this.trees.inHand;
  }

  get provisionalCount(): number {
    return this.trees.provisionalCount;
  }

  get namespaceId(): TreeStore['namespaceId'] {
    return this.trees.namespaceId;
  }

  get nonce(): TreeStore['nonce'] {
    return this.trees.nonce;
  }

  get cursor(): TreeStore['cursor'] {
    return this.trees.cursor;
  }

  cursorOf(endpoint: Parameters<TreeStore['cursorOf']>[0]): TreeStore['cursor'] {
    return this.trees.cursorOf(endpoint);
  }

  historyOf(endpoint: Parameters<TreeStore['historyOf']>[0]): ReturnType<TreeStore['historyOf']> {
    return this.trees.historyOf(endpoint);
  }

  onRemoteMoved(listener: Parameters<TreeStore['onRemoteMoved']>[0]): void {
    this.trees.onRemoteMoved(listener);
  }

  noteMode(mode: Parameters<TreeStore['noteMode']>[0]): Promise<void> {
    return this.trees.noteMode(mode);
  }

  claim(namespaceId: NamespaceId, nonce: string): Promise<void> {
    return this.#inOrder({ kind: 'claim', namespaceId, nonce });
  }

  write(changes: StateChanges): Promise<void> {
    return this.#inOrder({ kind: 'write', changes });
  }

  async durable(): Promise<void> {
    await this.#last;
    this.disk.sync();
    await this.process.step('state synced');
  }

  close(): Promise<void> {
    return this.#last;
  }

  #inOrder(record: Record): Promise<void> {
    this.#last = this.#last.then(async () => {
      await this.process.moment('state about to be written');
      await apply(record, this.trees);
      this.disk.add(record);
      await this.process.step(`state written${record.kind === 'write' ? shown(record.changes) : ''}`);
    });
    return this.#last;
  }
}

function apply(record: Record, trees: MemoryTreeStore): Promise<void> {
  return record.kind === 'claim' ? trees.claim(record.namespaceId, record.nonce) : trees.write(record.changes);
}

function shown({ cursor, ...changes }: StateChanges): string {
  const parts = Object.entries(changes).map(([name, change]: [string, unknown]) =>
    change instanceof Map && change.size > 0 ? `, ${name}: ${[...change.keys()].join(' ')}` : '',
  );
  return `${cursor === undefined ? '' : ` to ${cursor}`}${parts.join('')}`;
}
