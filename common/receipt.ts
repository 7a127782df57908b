import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { hashBlockSync } from './block-hash.js';
import { idBytes, type AgentId, type NamespaceId } from './ids.js';

/** An agent's signed word that it has stored blocks for a namespace so that they survive a power cut. */
export interface Receipt {
  readonly agentId: AgentId;
  readonly namespaceId: NamespaceId;
  /** Milliseconds since 1970 UTC, by the agent's clock. */
  readonly issuedAtMs: number;
  /** Packed hashes, n × 32 bytes. */
  readonly hashes: Uint8Array;
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
}

/** A receipt before it is signed. */
export type ReceiptClaim = Omit<Receipt, 'signature'>;

const CONTEXT = Buffer.from('drystone receipt v1\0', 'latin1');

/**
 * The bytes that a receipt's signature covers: the context string, agent id (16 bytes), namespace id (16), time (8,
 * big-endian milliseconds) and the SHA-256 of the packed hashes (32). Fixed lengths leave nothing to reinterpret, and the
 * context keeps the signature from meaning anything in another protocol.
 */
export function receiptBytes(claim: ReceiptClaim): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(claim.issuedAtMs));
  return Buffer.concat([
    CONTEXT,
    idBytes(claim.agentId),
    idBytes(claim.namespaceId),
    time,
    hashBlockSync(claim.hashes),
  ]);
}

/** Signs a claim with the agent's Ed25519 private key. */
export function signReceipt(claim: ReceiptClaim, privateKey: KeyObject): Receipt {
  return { ...claim, signature: sign(null, receiptBytes(claim), privateKey) };
}

/** Whether `receipt` was signed by the holder of `publicKey` and says what was signed. */
export function isReceiptAuthentic(receipt: Receipt, publicKey: KeyObject): boolean {
  return receipt.signature.length === 64 && verify(null, receiptBytes(receipt), publicKey, receipt.signature);
}

/** The DER prefix of an Ed25519 SubjectPublicKeyInfo (RFC 8410); the raw 32 bytes follow it. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The raw 32 bytes of an Ed25519 public key. */
export function rawPublicKey(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length);
}

/** The key of 32 raw bytes. Throws where they are not that many. */
export function publicKeyOfRaw(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}

/** A private key from its PEM text. */
export function privateKeyOfPem(pem: string): KeyObject {
  return createPrivateKey(pem);
}
