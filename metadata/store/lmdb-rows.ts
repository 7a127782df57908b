import { idBytes, type AccountName, type AgentId, type DeviceId, type NamespaceId } from '../../common/ids.js';
import { readUint64, uint64Of } from '../../common/store/keys.js';
import type { Trees } from './lmdb-environment.js';
import {
  decodeAccount,
  decodeAgent,
  decodeDevice,
  decodeNamespace,
  encodeAccount,
  encodeAgent,
  encodeDevice,
  encodeNamespace,
  type NumberedAgent,
} from './lmdb-json-records.js';
import { type CounterName, holdingKey, keyOfAccount, memberKey } from './lmdb-keys.js';
import { decodeMemberRole, encodeMemberRole } from './lmdb-records.js';
import type { AccountRow, DeviceRow, MemberRole, MemberRow, NamespaceRow } from './rows.js';
import { accountUnknown, agentUnknown, namespaceUnknown } from './store-errors.js';

const NOTHING = Buffer.alloc(0);

/** Rows of the LMDB engine with the indexes that go with them: all of it for use inside a read or a write. */
export class LmdbRows {
  constructor(readonly trees: Trees) {}

  agent(id: AgentId): NumberedAgent | undefined {
    const value = this.trees.agents.getBinaryFast(idBytes(id));
    return value === undefined ? undefined : decodeAgent(id, value);
  }

  /** NOT_FOUND (AGENT_UNKNOWN). */
  knownAgent(id: AgentId): NumberedAgent {
    const agent = this.agent(id);
    if (agent === undefined) throw agentUnknown(id);
    return agent;
  }

  /** The numbers by which presence names these agents. NOT_FOUND (AGENT_UNKNOWN). */
  agentNumbers(ids: readonly AgentId[]): number[] {
    return ids.map((id) => this.knownAgent(id).number);
  }

  putAgent(numbered: NumberedAgent): void {
    void this.trees.agents.put(idBytes(numbered.agent.id), encodeAgent(numbered));
  }

  namespace(id: NamespaceId): NamespaceRow | undefined {
    const value = this.trees.namespaces.getBinaryFast(idBytes(id));
    return value === undefined ? undefined : decodeNamespace(id, value);
  }

  /** NOT_FOUND (NAMESPACE_UNKNOWN). */
  knownNamespace(id: NamespaceId): NamespaceRow {
    const row = this.namespace(id);
    if (row === undefined) throw namespaceUnknown(id);
    return row;
  }

  /** @param agentsBefore the agents that held it until now. */
  putNamespace(row: NamespaceRow, agentsBefore: readonly AgentId[]): void {
    const { namespaces, holdings } = this.trees;
    const key = idBytes(row.id);
    for (const agent of agentsBefore) void holdings.remove(holdingKey(idBytes(agent), key));
    for (const agent of row.agents) void holdings.put(holdingKey(idBytes(agent), key), NOTHING);
    void namespaces.put(key, encodeNamespace(row));
  }

  account(name: AccountName): AccountRow | undefined {
    const value = this.trees.accounts.getBinaryFast(Buffer.from(name));
    return value === undefined ? undefined : decodeAccount(name, value);
  }

  /** NOT_FOUND (ACCOUNT_UNKNOWN). */
  knownAccount(name: AccountName): AccountRow {
    const account = this.account(name);
    if (account === undefined) throw accountUnknown(name);
    return account;
  }

  putAccount(row: AccountRow): void {
    void this.trees.accounts.put(Buffer.from(row.name), encodeAccount(row));
  }

  device(id: DeviceId): DeviceRow | undefined {
    const value = this.trees.devices.getBinaryFast(idBytes(id));
    return value === undefined ? undefined : decodeDevice(id, value);
  }

  putDevice(row: DeviceRow): void {
    const key = idBytes(row.id);
    void this.trees.devices.put(key, encodeDevice(row));
    void this.trees.accountDevices.put(keyOfAccount(row.account, key), NOTHING);
  }

  memberRole(namespaceId: NamespaceId, account: AccountName): MemberRole | undefined {
    const value = this.trees.members.getBinaryFast(memberKey(idBytes(namespaceId), account));
    return value === undefined ? undefined : decodeMemberRole(value);
  }

  putMember(namespaceId: NamespaceId, { account, role }: MemberRow): void {
    const namespace = idBytes(namespaceId);
    void this.trees.members.put(memberKey(namespace, account), encodeMemberRole(role));
    void this.trees.memberships.put(keyOfAccount(account, namespace), NOTHING);
  }

  removeMember(namespaceId: NamespaceId, account: AccountName): void {
    const namespace = idBytes(namespaceId);
    void this.trees.members.remove(memberKey(namespace, account));
    void this.trees.memberships.remove(keyOfAccount(account, namespace));
  }

  /** From 0. */
  counter(name: CounterName): number {
    const value = this.trees.counters.getBinaryFast(Buffer.from(name));
    return value === undefined ? 0 : readUint64(value, 0);
  }

  putCounter(name: CounterName, value: number): void {
    void this.trees.counters.put(Buffer.from(name), uint64Of(value));
  }
}
