import { asBuffer, HASH_BYTES, hashCount } from '../../common/block-hash.js';
import { idBytes, type AgentId, type NamespaceId } from '../../common/ids.js';
import type { PresenceStore } from './contract.js';
import type { MetadataEnvironment } from './lmdb-environment.js';
import { blockKey, setBlock } from './lmdb-keys.js';
import { namesAgent, withAgent } from './lmdb-records.js';
import type { LmdbRows } from './lmdb-rows.js';

/** Presence in the LMDB engine: a record for each namespace and block names the agents that hold it by their numbers. */
export class LmdbPresence implements PresenceStore {
  constructor(
    readonly environment: MetadataEnvironment,
    readonly rows: LmdbRows,
  ) {}

  findMissing(namespaceId: NamespaceId, agent: AgentId, hashes: Uint8Array): Promise<Uint8Array> {
    return this.environment.read(() => {
      const number = this.rows.agent(agent)?.number;
      if (number === undefined) return hashes;
      const packed = asBuffer(hashes);
      const missing = Buffer.allocUnsafe(packed.length);
      let end = 0;
      this.#forEach(namespaceId, packed, (record, offset) => {
        if (record === undefined || !namesAgent(record, number)) {
          end += packed.copy(missing, end, offset, offset + HASH_BYTES);
        }
      });
      return missing.subarray(0, end);
    });
  }

  countMissing(namespaceId: NamespaceId, agents: readonly AgentId[], hashes: Uint8Array): Promise<readonly number[]> {
    return this.environment.read(() => {
      const numbers = agents.map((agent) => this.rows.agent(agent)?.number);
      const held = agents.map(() => 0);
      this.#forEach(namespaceId, asBuffer(hashes), (record) => {
        if (record === undefined) return;
        numbers.forEach((number, index) => {
          if (number !== undefined && namesAgent(record, number)) held[index] = (held[index] ?? 0) + 1;
        });
      });
      return held.map((count) => hashCount(hashes) - count);
    });
  }

  /** Notes that an agent holds blocks; for use inside a write. */
  record(namespaceId: NamespaceId, agentNumber: number, hashes: Uint8Array): void {
    const { presence } = this.environment.trees;
    this.#forEach(namespaceId, asBuffer(hashes), (record, _offset, key) => {
      if (record === undefined || !namesAgent(record, agentNumber))
        void presence.put(key, withAgent(record, agentNumber));
    });
  }

  /** Tells whether one of these agents holds a block; for use inside the same read or write. */
  heldByAny(namespaceId: NamespaceId, agentNumbers: readonly number[]): (hash: Uint8Array) => boolean {
    const { presence } = this.environment.trees;
    const key = blockKey(idBytes(namespaceId));
    return (hash) => {
      setBlock(key, asBuffer(hash), 0);
      const record = presence.getBinaryFast(key);
      return record !== undefined && agentNumbers.some((number) => namesAgent(record, number));
    };
  }

  /** Looks up each hash; the key, and the record, are overwritten for the next. */
  #forEach(
    namespaceId: NamespaceId,
    packed: Buffer,
    visit: (record: Buffer | undefined, offset: number, key: Buffer) => void,
  ): void {
    const { presence } = this.environment.trees;
    const key = blockKey(idBytes(namespaceId));
    for (let offset = 0; offset < packed.length; offset += HASH_BYTES) {
      setBlock(key, packed, offset);
      visit(presence.getBinaryFast(key), offset, key);
    }
  }
}
