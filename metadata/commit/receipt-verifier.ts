import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../common/clock.js';
import { DrystoneError } from '../../common/errors.js';
import type { AgentId } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import { isReceiptAuthentic, publicKeyOfRaw, type Receipt } from '../../common/receipt.js';
import type { DirectoryStore } from '../store/contract.js';
import type { NamespaceRow } from '../store/rows.js';
import { agentNotAssigned } from '../store/store-errors.js';
import type { StoredBlocks } from './commit-batch.js';

/** Tells receipts that hold from those that do not (docs/protocol.md, section 6). */
export class ReceiptVerifier {
  /** The keys of agents, as they are verified with. An agent's id follows from its key, so neither ever changes. */
  readonly #keys = new Map<AgentId, KeyObject>();

  constructor(
    readonly directory: Pick<DirectoryStore, 'getAgents'>,
    readonly clock: Clock,
  ) {}

  /**
   * What the receipts say is stored. PERMISSION_DENIED (RECEIPT_INVALID) where one is forged, altered, of another
   * namespace, too old or from the future; FAILED_PRECONDITION (AGENT_NOT_ASSIGNED) where its agent does not hold the
   * namespace.
   */
  async verify(namespace: NamespaceRow, receipts: readonly Receipt[]): Promise<readonly StoredBlocks[]> {
    await this.#loadKeys(receipts);
    return receipts.map((receipt, index) => {
      this.#check(namespace, receipt, `receipts[${index}]`);
      return { agent: receipt.agentId, hashes: receipt.hashes };
    });
  }

  #check(namespace: NamespaceRow, receipt: Receipt, field: string): void {
    if (receipt.namespaceId !== namespace.id) {
      throw invalidReceipt(field, `is for namespace ${receipt.namespaceId}, not for ${namespace.id}`);
    }
    if (!namespace.agents.includes(receipt.agentId)) throw agentNotAssigned(receipt.agentId, namespace.name);
    const ageMs = this.clock.nowMs() - receipt.issuedAtMs;
    if (ageMs > metadataLimits.receiptMaxAgeMs) throw invalidReceipt(field, 'is too old; store the blocks again');
    if (-ageMs > metadataLimits.receiptMaxSkewMs)
      throw invalidReceipt(field, "is from the future; set the agent's clock");
    const key = this.#keys.get(receipt.agentId);
    if (key === undefined || !isReceiptAuthentic(receipt, key)) {
      throw invalidReceipt(field, `was not signed by agent ${receipt.agentId} for what it says`);
    }
  }

  async #loadKeys(receipts: readonly Receipt[]): Promise<void> {
    const unknown = [...new Set(receipts.map(({ agentId }) => agentId))].filter((agent) => !this.#keys.has(agent));
    if (unknown.length === 0) return;
    for (const agent of await this.directory.getAgents(unknown)) {
      if (agent !== undefined) this.#keys.set(agent.id, publicKeyOfRaw(agent.publicKey));
    }
  }
}

function invalidReceipt(field: string, problem: string): DrystoneError {
  return new DrystoneError('PERMISSION_DENIED', 'RECEIPT_INVALID', `${field} ${problem}`);
}
