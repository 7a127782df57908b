import { HASH_BYTES } from '../common/block-hash.js';
import { ID_BYTES } from '../common/ids.js';

/**
 * What a block store keeps where (docs/storage-format.md):
 *
 *     blocks      block hash (32)                        → content
 *     references  namespace id (16), block hash (32)     → size, 4 bytes, big-endian
 *     totals      "blocks"                               → version, 8 bytes, blocks, 8, bytes of content, 8; big-endian
 *
 * References begin with the namespace, so one namespace is one range. Totals change in the same transaction as the rest.
 * The version, an IEEE 754 double which LMDB's binding adds, counts the changes of the store from 1.
 */
export const databaseNames = { blocks: 'blocks', references: 'references', totals: 'totals' } as const;

export const TOTALS_KEY = Buffer.from('blocks', 'latin1');

/** How much a store holds, each block counted once. */
export interface Totals {
  readonly blocks: number;
  readonly bytes: number;
}

/** The key of a namespace's reference to a block. */
export function referenceKey(namespaceBytes: Uint8Array, hash: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(ID_BYTES + HASH_BYTES);
  key.set(namespaceBytes, 0);
  key.set(hash, ID_BYTES);
  return key;
}

/** The namespace of a reference's key: 16 bytes, sharing its memory. */
export function namespaceOfReference(key: Uint8Array): Uint8Array {
  return key.subarray(0, ID_BYTES);
}

/** The first key that no reference of this namespace reaches; undefined after the last namespace there can be. */
export function afterNamespace(namespaceBytes: Uint8Array): Buffer | undefined {
  const next = Buffer.from(namespaceBytes);
  for (let index = next.length - 1; index >= 0; index--) {
    const byte = next.readUInt8(index);
    if (byte < 0xff) {
      next.writeUInt8(byte + 1, index);
      return next;
    }
    next.writeUInt8(0, index);
  }
  return undefined;
}

export function encodeSize(sizeBytes: number): Buffer {
  const value = Buffer.allocUnsafe(4);
  value.writeUInt32BE(sizeBytes);
  return value;
}

export function encodeTotals({ blocks, bytes }: Totals): Buffer {
  const value = Buffer.allocUnsafe(16);
  value.writeBigUInt64BE(BigInt(blocks), 0);
  value.writeBigUInt64BE(BigInt(bytes), 8);
  return value;
}

export function decodeTotals(value: Buffer): Totals {
  return { blocks: Number(value.readBigUInt64BE(0)), bytes: Number(value.readBigUInt64BE(8)) };
}
