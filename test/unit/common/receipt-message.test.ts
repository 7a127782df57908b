import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AgentId, NamespaceId } from '../../../common/ids.js';
import { signReceipt } from '../../../common/receipt.js';
import { receiptOfMessage, receiptToMessage } from '../../../common/receipt-message.js';

const receipt = signReceipt(
  {
    agentId: 'ffeeddccbbaa99887766554433221100' as AgentId,
    namespaceId: '00112233445566778899aabbccddeeff' as NamespaceId,
    issuedAtMs: 1_800_000_000_000,
    hashes: Buffer.alloc(64, 3),
  },
  generateKeyPairSync('ed25519').privateKey,
);

describe('a receipt as it travels', () => {
  it('comes out as it went in', () => {
    expect(receiptOfMessage('receipt', receiptToMessage(receipt))).toEqual(receipt);
  });

  it.each([
    ['hashes', { hashes: Buffer.alloc(63) }],
    ['agent_id', { agentId: 'someone' }],
    ['namespace_id', { namespaceId: '' }],
    ['issued_at_ms', { issuedAtMs: 2n ** 53n }],
  ])('is refused for its %s', (field, flaw) => {
    const message = { ...receiptToMessage(receipt), ...flaw };
    expect(() => receiptOfMessage('receipts[2]', message)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field: `receipts[2].${field}` } }) as Error,
    );
  });
});
