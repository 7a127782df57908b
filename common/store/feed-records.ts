import type { Change } from '../feed/item.js';
import type { FeedHead, ItemHead } from '../feed/placement.js';
import { ID_BYTES, type Cursor, type ReplicaId } from '../ids.js';
import { readUint64, writeUint64 } from './keys.js';

/** What stores of feeds keep beside the items: binary, because every write reads and writes it (docs/storage-format.md). */

const FEED_HEAD_BYTES = 24;
const ITEM_HEAD_BYTES = 17;
const VERSION_ENTRY_BYTES = ID_BYTES + 8;

/** Cursor, item count and item bytes, 8 bytes each. */
export function encodeFeedHead({ cursor, itemCount, itemBytes }: FeedHead): Buffer {
  const value = Buffer.allocUnsafe(FEED_HEAD_BYTES);
  writeUint64(value, cursor, 0);
  writeUint64(value, itemCount, 8);
  writeUint64(value, itemBytes, 16);
  return value;
}

export function decodeFeedHead(value: Buffer): FeedHead {
  return { cursor: readUint64(value, 0) as Cursor, itemCount: readUint64(value, 8), itemBytes: readUint64(value, 16) };
}

/** Cursor (8), 1 where the item is live or 0 (1), its size (8), then the version: replica (16) and counter (8), each. */
export function encodeItemHead({ cursor, live, sizeBytes, version }: ItemHead): Buffer {
  const value = Buffer.allocUnsafe(ITEM_HEAD_BYTES + version.length * VERSION_ENTRY_BYTES);
  writeUint64(value, cursor, 0);
  value.writeUInt8(live ? 1 : 0, 8);
  writeUint64(value, sizeBytes, 9);
  let offset = ITEM_HEAD_BYTES;
  for (const { replicaId, counter } of version) {
    value.write(replicaId, offset, 'hex');
    writeUint64(value, counter, offset + ID_BYTES);
    offset += VERSION_ENTRY_BYTES;
  }
  return value;
}

export function decodeItemHead(value: Buffer): ItemHead {
  const version: Change[] = [];
  for (let offset = ITEM_HEAD_BYTES; offset < value.length; offset += VERSION_ENTRY_BYTES) {
    const replicaId = value.toString('hex', offset, offset + ID_BYTES) as ReplicaId;
    version.push({ replicaId, counter: readUint64(value, offset + ID_BYTES) });
  }
  return {
    cursor: readUint64(value, 0) as Cursor,
    live: value.readUInt8(8) === 1,
    sizeBytes: readUint64(value, 9),
    version,
  };
}
