import { checkPackedHashes } from '../block-hash.js';
import { DrystoneError, invalidArgument } from '../errors.js';
import { parseCursor, parseDeviceId } from '../ids.js';
import { wireLimits } from '../limits.js';
import type {
  Blocklist as WireBlocklist,
  FeedEntry as WireEntry,
  File as WireFile,
  Item as WireItem,
  Version as WireVersion,
} from '../../proto/gen/drystone/feed/v1/feed.js';
import { Item as WireItemCodec } from '../../proto/gen/drystone/feed/v1/feed.js';
import {
  NO_BLOCKS,
  type Blocklist,
  type FeedEntry,
  type FileContent,
  type Item,
  type ItemContent,
  type Version,
} from './item.js';
import { parseItemPath } from './paths.js';

/**
 * Items off the wire and out of stores. Everything that the contracts demand of an item is checked here, once, where it
 * enters; INVALID_ARGUMENT names the field below `field`.
 */
export function itemFromWire(field: string, wire: WireItem): Item {
  return {
    path: parseItemPath(`${field}.path`, wire.path),
    version: versionFromWire(`${field}.version`, wire.version),
    author: parseDeviceId(`${field}.author_device_id`, wire.authorDeviceId),
    content: contentFromWire(field, wire.content),
  };
}

/** An item for the wire. */
export function itemToWire(item: Item): WireItem {
  return {
    path: item.path,
    version: { entries: item.version.map((entry) => ({ deviceId: entry.deviceId, counter: BigInt(entry.counter) })) },
    authorDeviceId: item.author,
    content: contentToWire(item.content),
  };
}

/** A feed entry off the wire. */
export function entryFromWire(field: string, wire: WireEntry): FeedEntry {
  if (wire.item === undefined) throw invalidArgument(`${field}.item`, 'must be set');
  return { cursor: parseCursor(`${field}.cursor`, wire.cursor), item: itemFromWire(`${field}.item`, wire.item) };
}

/** A feed entry for the wire. */
export function entryToWire(entry: FeedEntry): WireEntry {
  return { cursor: BigInt(entry.cursor), item: itemToWire(entry.item) };
}

/** An item as stores keep it: its protobuf encoding. */
export function encodeItem(item: Item): Uint8Array {
  return WireItemCodec.encode(itemToWire(item)).finish();
}

/** The inverse of {@link encodeItem}; DATA_LOSS (STORE_FAILED) where the bytes are not what it made. */
export function decodeItem(encoded: Uint8Array): Item {
  try {
    return itemFromWire('item', WireItemCodec.decode(encoded));
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new DrystoneError('DATA_LOSS', 'STORE_FAILED', `a stored item is damaged: ${problem}`, {}, { cause });
  }
}

function versionFromWire(field: string, wire: WireVersion | undefined): Version {
  const entries = wire?.entries ?? [];
  if (entries.length === 0) throw invalidArgument(field, 'must have at least one entry');
  if (entries.length > wireLimits.versionEntries) {
    throw invalidArgument(field, `must have at most ${wireLimits.versionEntries} entries`);
  }
  return entries.map((entry, index) => {
    const at = `${field}.entries[${index}]`;
    const previous = entries[index - 1];
    if (previous !== undefined && previous.deviceId >= entry.deviceId) {
      throw invalidArgument(`${at}.device_id`, 'must come after the one before it, each device once');
    }
    if (entry.counter < 1n || entry.counter > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw invalidArgument(`${at}.counter`, 'must be between 1 and 2^53 - 1');
    }
    return { deviceId: parseDeviceId(`${at}.device_id`, entry.deviceId), counter: Number(entry.counter) };
  });
}

function contentFromWire(field: string, content: WireItem['content']): ItemContent {
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

function contentToWire(content: ItemContent): NonNullable<WireItem['content']> {
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
