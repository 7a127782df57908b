import { checkPackedHashes } from '../block-hash.js';
import { invalidArgument } from '../errors.js';
import { wireLimits } from '../limits.js';
import type {
  Blocklist as WireBlocklist,
  File as WireFile,
  Item as WireItem,
} from '../../proto/gen/drystone/feed/v1/feed.js';
import { NO_BLOCKS, type Blocklist, type FileContent, type ItemContent } from './item.js';

type WireContent = WireItem['content'];

/** The content below `field` off the wire; INVALID_ARGUMENT names the field. */
export function contentFromWire(field: string, content: WireContent): ItemContent {
  switch (content?.$case) {
    case 'file':
      return fileFromWire(`${field}.file`, content.value);
    case 'directory':
      return { kind: 'directory' };
    case 'symlink':
      return { kind: 'symlink', target: checkTarget(`${field}.symlink.target`, content.value.target) };
    case 'deletion':
      return { kind: 'deletion' };
    case undefined:
      throw invalidArgument(`${field}.content`, 'must be a file, directory, symlink or deletion');
  }
}

function checkTarget(field: string, target: string): string {
  const sizeBytes = Buffer.byteLength(target);
  if (sizeBytes === 0 || sizeBytes > wireLimits.symlinkTargetBytes || target.includes('\0')) {
    throw invalidArgument(field, `must be 1 to ${wireLimits.symlinkTargetBytes} bytes without NUL`);
  }
  return target;
}

function fileFromWire(field: string, file: WireFile): FileContent {
  const blocks = blocklistFromWire(`${field}.blocks`, file.blocks);
  const sum = blocks.sizes.reduce((total, size) => total + size, 0);
  if (file.size !== BigInt(sum)) {
    throw invalidArgument(`${field}.size`, `must be the sum of the block sizes, ${sum}, but is ${file.size}`);
  }
  const modifiedAtMs = Number(file.modifiedAtMs);
  if (!Number.isSafeInteger(modifiedAtMs)) throw invalidArgument(`${field}.modified_at_ms`, 'is out of range');
  return { kind: 'file', sizeBytes: sum, modifiedAtMs, executable: file.executable, blocks };
}

function blocklistFromWire(field: string, wire: WireBlocklist | undefined): Blocklist {
  if (wire === undefined || (wire.hashes.length === 0 && wire.sizes.length === 0)) return NO_BLOCKS;
  const count = checkPackedHashes(`${field}.hashes`, wire.hashes, wireLimits.blocksPerItem);
  if (wire.sizes.length !== count) {
    throw invalidArgument(
      `${field}.sizes`,
      `must have one size for each of ${count} hashes, but has ${wire.sizes.length}`,
    );
  }
  wire.sizes.forEach((size, index) => {
    if (size < 1 || size > wireLimits.blockBytes) {
      throw invalidArgument(`${field}.sizes[${index}]`, `must be between 1 and ${wireLimits.blockBytes}`);
    }
  });
  return { hashes: wire.hashes, sizes: wire.sizes };
}

/** A content for the wire. */
export function contentToWire(content: ItemContent): NonNullable<WireContent> {
  switch (content.kind) {
    case 'file':
      return {
        $case: 'file',
        value: {
          size: BigInt(content.sizeBytes),
          modifiedAtMs: BigInt(content.modifiedAtMs),
          executable: content.executable,
          blocks: { hashes: content.blocks.hashes, sizes: content.blocks.sizes },
        },
      };
    case 'symlink':
      return { $case: 'symlink', value: { target: content.target } };
    case 'directory':
      return { $case: 'directory', value: {} };
    case 'deletion':
      return { $case: 'deletion', value: {} };
  }
}
