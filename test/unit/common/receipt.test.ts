import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { hashBlockSync } from '../../../common/block-hash.js';
import { idOfPublicKey, namespaceIdOf, type AgentId } from '../../../common/ids.js';
import {
  isReceiptAuthentic,
  publicKeyOfRaw,
  rawPublicKey,
  signReceipt,
  type Receipt,
} from '../../../common/receipt.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const receipt = signReceipt(
  {
    agentId: idOfPublicKey<AgentId>(rawPublicKey(publicKey)),
    namespaceId: namespaceIdOf(Buffer.alloc(16, 1)),
    issuedAtMs: 1_800_000_000_000,
    hashes: hashBlockSync(Buffer.from('block')),
  },
  privateKey,
);

it('is authentic as it was signed, by the key of its signer', () => {
  expect(isReceiptAuthentic(receipt, publicKey)).toBe(true);
  expect(isReceiptAuthentic(receipt, publicKeyOfRaw(rawPublicKey(privateKey)))).toBe(true);
});

it.each<[string, Partial<Receipt>]>([
  ['another agent', { agentId: idOfPublicKey<AgentId>(Buffer.alloc(32)) }],
  ['another namespace', { namespaceId: namespaceIdOf(Buffer.alloc(16, 2)) }],
  ['another time', { issuedAtMs: receipt.issuedAtMs + 1 }],
  ['another block', { hashes: hashBlockSync(Buffer.from('other')) }],
  ['a block more', { hashes: Buffer.concat([receipt.hashes, receipt.hashes]) }],
  ['no signature', { signature: Buffer.alloc(0) }],
  ['a longer signature', { signature: Buffer.concat([receipt.signature, Buffer.alloc(1)]) }],
  ['a changed signature', { signature: Buffer.from(receipt.signature).fill(0, 0, 1) }],
])('is not authentic with %s', (_, change) => {
  expect(isReceiptAuthentic({ ...receipt, ...change }, publicKey)).toBe(false);
});

it('is not authentic under the key of somebody else', () => {
  expect(isReceiptAuthentic(receipt, generateKeyPairSync('ed25519').publicKey)).toBe(false);
});
