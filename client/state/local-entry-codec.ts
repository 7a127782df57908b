import { HASH_BYTES } from '../../common/block-hash.js';
import { DrystoneError } from '../../common/errors.js';
import { NO_BLOCKS, type Blocklist, type ItemPath } from '../../common/feed/item.js';
import type { LocalEntry, LocalFile } from './local-entry.js';

/**
 * How entries of the local tree are stored (docs/storage-format.md). Little-endian:
 *
 *     file       1, flags (1 executable, 2 blocks known), then 8 bytes each: modification time in ms, size, modification
 *                and status change time in ns, inode; then, where known, n hashes of 32 bytes and n sizes of 4
 *     directory  2
 *     symlink    3, target in UTF-8
 */
const KIND_FILE = 1;
const KIND_DIRECTORY = 2;
const KIND_SYMLINK = 3;
const FLAG_EXECUTABLE = 1;
const FLAG_BLOCKS = 2;
const HEADER_BYTES = 2 + 5 * 8;
const SIZE_BYTES = 4;

/** An entry as it is stored under its path. */
export function encodeLocalEntry(entry: LocalEntry): Buffer {
  switch (entry.kind) {
    case 'file':
      return encodeFile(entry);
    case 'directory':
      return Buffer.of(KIND_DIRECTORY);
    case 'symlink':
      return Buffer.concat([Buffer.of(KIND_SYMLINK), Buffer.from(entry.target)]);
  }
}

/** The inverse of {@link encodeLocalEntry}. The result may share memory with `record`. */
export function decodeLocalEntry(path: ItemPath, record: Buffer): LocalEntry {
  const kind = record[0];
  if (kind === KIND_FILE) return decodeFile(path, record);
  if (kind === KIND_DIRECTORY) return { kind: 'directory', path };
  if (kind === KIND_SYMLINK) return { kind: 'symlink', path, target: record.toString('utf8', 1) };
  throw new DrystoneError(
    'DATA_LOSS',
    'STORE_FAILED',
    `the stored state of ${JSON.stringify(path)} cannot be read; remove the folder's .drystone directory to rebuild it`,
  );
}

function encodeFile({ stamp, modifiedAtMs, executable, blocks }: LocalFile): Buffer {
  const count = blocks?.sizes.length ?? 0;
  const record = Buffer.allocUnsafe(HEADER_BYTES + count * (HASH_BYTES + SIZE_BYTES));
  record[0] = KIND_FILE;
  record[1] = (executable ? FLAG_EXECUTABLE : 0) | (blocks === undefined ? 0 : FLAG_BLOCKS);
  record.writeBigInt64LE(BigInt(modifiedAtMs), 2);
  record.writeBigUInt64LE(BigInt(stamp.sizeBytes), 10);
  record.writeBigInt64LE(stamp.modifiedAtNs, 18);
  record.writeBigInt64LE(stamp.changedAtNs, 26);
  record.writeBigUInt64LE(stamp.inode, 34);
  if (blocks !== undefined) {
    record.set(blocks.hashes, HEADER_BYTES);
    let at = HEADER_BYTES + count * HASH_BYTES;
    for (const size of blocks.sizes) at = record.writeUInt32LE(size, at);
  }
  return record;
}

function decodeFile(path: ItemPath, record: Buffer): LocalFile {
  const flags = record[1] ?? 0;
  return {
    kind: 'file',
    path,
    modifiedAtMs: Number(record.readBigInt64LE(2)),
    executable: (flags & FLAG_EXECUTABLE) !== 0,
    stamp: {
      sizeBytes: Number(record.readBigUInt64LE(10)),
      modifiedAtNs: record.readBigInt64LE(18),
      changedAtNs: record.readBigInt64LE(26),
      inode: record.readBigUInt64LE(34),
    },
    blocks: (flags & FLAG_BLOCKS) === 0 ? undefined : decodeBlocks(record.subarray(HEADER_BYTES)),
  };
}

function decodeBlocks(packed: Buffer): Blocklist {
  const count = packed.length / (HASH_BYTES + SIZE_BYTES);
  if (count === 0) return NO_BLOCKS;
  const hashes = packed.subarray(0, count * HASH_BYTES);
  const sizes = Array.from({ length: count }, (_, index) => packed.readUInt32LE(hashes.length + index * SIZE_BYTES));
  return { hashes, sizes };
}
