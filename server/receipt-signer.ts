import type { KeyObject } from 'node:crypto';
import type { Clock } from '../common/clock.js';
import type { AgentId, NamespaceId } from '../common/ids.js';
import { signReceipt, type Receipt } from '../common/receipt.js';

/** Gives a block server's signed word. */
export interface ReceiptSigner {
  /** A receipt for blocks (packed hashes, at most 4,096) that are on disk for this namespace; to be asked for only then. */
  sign(namespaceId: NamespaceId, hashes: Uint8Array): Receipt;
}

/** Signs with an agent's key, dated by `clock`. */
export function createReceiptSigner(
  key: { readonly id: AgentId; readonly privateKey: KeyObject },
  clock: Clock,
): ReceiptSigner {
  return {
    sign: (namespaceId, hashes) =>
      signReceipt({ agentId: key.id, namespaceId, issuedAtMs: clock.nowMs(), hashes }, key.privateKey),
  };
}
