import type { Receipt as ReceiptMessage } from '../proto/gen/drystone/block/v1/block.js';
import { checkPackedHashes } from './block-hash.js';
import { invalidArgument } from './errors.js';
import { parseAgentId, parseNamespaceId } from './ids.js';
import type { Receipt } from './receipt.js';

/** A receipt as it travels. */
export function receiptToMessage(receipt: Receipt): ReceiptMessage {
  const { agentId, namespaceId, issuedAtMs, hashes, signature } = receipt;
  return { agentId, namespaceId, issuedAtMs: BigInt(issuedAtMs), hashes, signature };
}

/**
 * A receipt off the wire, its fields checked, its signature not; it shares memory with the message. INVALID_ARGUMENT that
 * names a field below `field` otherwise.
 */
export function receiptOfMessage(field: string, message: ReceiptMessage): Receipt {
  checkPackedHashes(`${field}.hashes`, message.hashes);
  if (message.issuedAtMs > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalidArgument(`${field}.issued_at_ms`, 'must be at most 2^53 - 1');
  }
  return {
    agentId: parseAgentId(`${field}.agent_id`, message.agentId),
    namespaceId: parseNamespaceId(`${field}.namespace_id`, message.namespaceId),
    issuedAtMs: Number(message.issuedAtMs),
    hashes: message.hashes,
    signature: message.signature,
  };
}
