import {
  idBytes,
  ID_BYTES,
  type AccountName,
  type AgentId,
  type NamespaceId,
  type NamespaceName,
} from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import type { DirectoryStore } from './contract.js';
import { copyOf, type LmdbEnvironment, type Tree } from './lmdb-environment.js';
import { AGENT_COUNTER_KEY, afterPrefix, holdingKey } from './lmdb-keys.js';
import {
  decodeAgent,
  decodeDevice,
  decodeNamespace,
  encodeAccount,
  encodeAgent,
  encodeDevice,
  encodeFeedHead,
  encodeNamespace,
  type NumberedAgent,
} from './lmdb-records.js';
import { EMPTY_FEED, type AgentRow, type DeviceRow, type NamespaceRow, type NewNamespace, type Page } from './rows.js';
import {
  agentUnknown,
  deviceOfOtherAccount,
  namespaceExists,
  namespaceUnknown,
  tooManyAgents,
} from './store-errors.js';

const NOTHING = Buffer.alloc(0);
const FIRST_KEY = Buffer.alloc(1);

/** The directory of the LMDB engine. */
export class LmdbDirectory implements DirectoryStore {
  /** @param onChanged called after each durable change. */
  constructor(
    readonly environment: LmdbEnvironment,
    readonly onChanged: () => void,
  ) {}

  putDevice(device: DeviceRow): Promise<void> {
    const { accounts, devices } = this.environment.trees;
    return this.environment.write(() => {
      const key = idBytes(device.id);
      const known = devices.getBinaryFast(key);
      if (known !== undefined && decodeDevice(device.id, known).account !== device.account) {
        throw deviceOfOtherAccount(device.id);
      }
      const account = Buffer.from(device.account);
      if (!accounts.doesExist(account)) void accounts.put(account, encodeAccount());
      void devices.put(key, encodeDevice(device));
    });
  }

  hasAccount(account: AccountName): Promise<boolean> {
    return this.environment.read(() => this.environment.trees.accounts.doesExist(Buffer.from(account)));
  }

  async putAgent(agent: AgentRow): Promise<void> {
    const { agents } = this.environment.trees;
    const changed = await this.environment.write(() => {
      const key = idBytes(agent.id);
      const held = agents.getBinaryFast(key);
      const before = held === undefined ? undefined : copyOf(held);
      const number = before === undefined ? this.#nextAgentNumber() : decodeAgent(agent.id, before).number;
      const record = encodeAgent({ number, agent });
      if (before?.equals(record) === true) return false;
      void agents.put(key, record);
      return true;
    });
    if (changed) this.onChanged();
  }

  getAgents(ids: readonly AgentId[]): Promise<readonly (AgentRow | undefined)[]> {
    return this.environment.read(() => ids.map((id) => this.agent(id)?.agent));
  }

  listAgents(after: AgentId | undefined, limit: number): Promise<Page<AgentRow>> {
    return this.environment.read(() => {
      const start = after === undefined ? FIRST_KEY : afterPrefix(idBytes(after));
      const { rows, hasMore } = pageOfKeys(this.environment.trees.agents, start, limit);
      return { rows: rows.map((key) => this.#known(idOf<AgentId>(key)).agent), hasMore };
    });
  }

  createNamespace(namespace: NewNamespace): Promise<NamespaceRow> {
    const { names, heads } = this.environment.trees;
    return this.#change(() => {
      const name = Buffer.from(namespace.name);
      if (names.doesExist(name)) throw namespaceExists(namespace.name);
      const row = { ...namespace, epoch: 1 };
      const key = idBytes(namespace.id);
      this.#putNamespace(row, []);
      void names.put(name, key);
      void heads.put(key, encodeFeedHead(EMPTY_FEED));
      return row;
    });
  }

  setAssignment(id: NamespaceId, agents: readonly AgentId[]): Promise<NamespaceRow> {
    return this.#change(() => {
      const before = this.namespace(id);
      if (before === undefined) throw namespaceUnknown(id);
      const row = { ...before, agents, epoch: before.epoch + 1 };
      this.#putNamespace(row, before.agents);
      return row;
    });
  }

  getNamespace(id: NamespaceId): Promise<NamespaceRow | undefined> {
    return this.environment.read(() => this.namespace(id));
  }

  findNamespace(name: NamespaceName): Promise<NamespaceRow | undefined> {
    return this.environment.read(() => {
      const id = this.environment.trees.names.getBinaryFast(Buffer.from(name));
      return id === undefined ? undefined : this.namespace(idOf<NamespaceId>(copyOf(id)));
    });
  }

  listNamespaces(after: NamespaceName | undefined, limit: number): Promise<Page<NamespaceRow>> {
    const { names } = this.environment.trees;
    return this.environment.read(() => {
      // The shortest key after a name is the name and a zero byte, which no name contains.
      const start = after === undefined ? FIRST_KEY : Buffer.from(`${after}\0`);
      const { rows, hasMore } = pageOfKeys(names, start, limit);
      const ids = rows.map((name) => idOf<NamespaceId>(copyOf(names.getBinaryFast(name) ?? NOTHING)));
      return { rows: ids.flatMap((id) => this.namespace(id) ?? []), hasMore };
    });
  }

  listHoldings(agent: AgentId): Promise<readonly NamespaceRow[]> {
    return this.environment.read(() => {
      const ids = this.#holdingKeys(agent).map((key) => idOf<NamespaceId>(key.subarray(ID_BYTES)));
      return ids.flatMap((id) => this.namespace(id) ?? []);
    });
  }

  countHoldings(agents: readonly AgentId[]): Promise<readonly number[]> {
    return this.environment.read(() => agents.map((agent) => this.#holdingKeys(agent).length));
  }

  /** For use inside a read or a write. */
  namespace(id: NamespaceId): NamespaceRow | undefined {
    const value = this.environment.trees.namespaces.getBinaryFast(idBytes(id));
    return value === undefined ? undefined : decodeNamespace(id, value);
  }

  /** For use inside a read or a write. */
  agent(id: AgentId): NumberedAgent | undefined {
    const value = this.environment.trees.agents.getBinaryFast(idBytes(id));
    return value === undefined ? undefined : decodeAgent(id, value);
  }

  /** The numbers by which presence names these agents; for use inside a read or a write. NOT_FOUND (AGENT_UNKNOWN). */
  agentNumbers(ids: readonly AgentId[]): number[] {
    return ids.map((id) => this.#known(id).number);
  }

  #known(id: AgentId): NumberedAgent {
    const agent = this.agent(id);
    if (agent === undefined) throw agentUnknown(id);
    return agent;
  }

  #nextAgentNumber(): number {
    const { counters } = this.environment.trees;
    const number = (counters.getBinaryFast(AGENT_COUNTER_KEY)?.readUInt32BE(0) ?? 0) + 1;
    if (number > metadataLimits.agents) throw tooManyAgents();
    const value = Buffer.allocUnsafe(4);
    value.writeUInt32BE(number);
    void counters.put(AGENT_COUNTER_KEY, value);
    return number;
  }

  #putNamespace(row: NamespaceRow, agentsBefore: readonly AgentId[]): void {
    const { namespaces, holdings } = this.environment.trees;
    const key = idBytes(row.id);
    this.agentNumbers(row.agents);
    for (const agent of agentsBefore) void holdings.remove(holdingKey(idBytes(agent), key));
    for (const agent of row.agents) void holdings.put(holdingKey(idBytes(agent), key), NOTHING);
    void namespaces.put(key, encodeNamespace(row));
  }

  #holdingKeys(agent: AgentId): Uint8Array[] {
    const start = idBytes(agent);
    return [...this.environment.trees.holdings.getKeys({ start, end: afterPrefix(start) })];
  }

  async #change<T>(work: () => T): Promise<T> {
    const result = await this.environment.write(work);
    this.onChanged();
    return result;
  }
}

function idOf<Id extends AgentId | NamespaceId>(bytes: Uint8Array): Id {
  return Buffer.from(bytes).toString('hex') as Id;
}

function pageOfKeys(tree: Tree, start: Uint8Array, limit: number): Page<Uint8Array> {
  const keys = [...tree.getKeys({ start, limit: limit + 1 })];
  return { rows: keys.slice(0, limit), hasMore: keys.length > limit };
}
