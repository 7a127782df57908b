import { DrystoneError, invalidArgument } from '../errors.js';
import { parseCursor, parseDeviceId, parseReplicaId } from '../ids.js';
import { wireLimits } from '../limits.js';
import type {
  FeedEntry as WireEntry,
  HybridTime as WireTime,
  Item as WireItem,
  Rival as WireState,
  Version as WireVersion,
} from '../../proto/gen/drystone/feed/v1/feed.js';
import { Item as WireItemCodec } from '../../proto/gen/drystone/feed/v1/feed.js';
import { contentFromWire, contentToWire } from './content-codec.js';
import { TIME_START, WALL_MAX_MS, type HybridTime } from './hybrid-time.js';
import { isVoid, NOBODY, type FeedEntry, type Item, type ItemState, type Version } from './item.js';
import { blockCount } from './merge.js';
import { parseItemPath } from './paths.js';
import { compareStates } from './state-order.js';

/**
 * Items off the wire and out of stores. Everything that the contracts demand of an item is checked here, once, where it
 * enters; INVALID_ARGUMENT names the field below `field`.
 */
export function itemFromWire(field: string, wire: WireItem): Item {
  const path = parseItemPath(`${field}.path`, wire.path);
  const version = versionFromWire(`${field}.version`, wire.version);
  const state = stateFromWire(field, wire, version, isVoidOnWire(wire));
  if (wire.rivals.length === 0) return { path, version, ...state, rivals: [] };
  const item = { path, version, ...state, rivals: rivalsFromWire(field, wire.rivals, version, state) };
  if (blockCount(item) > wireLimits.blocksPerItem) {
    throw invalidArgument(`${field}.rivals`, `must name at most ${wireLimits.blocksPerItem} blocks with the item`);
  }
  return item;
}

/** An item for the wire. */
export function itemToWire(item: Item): WireItem {
  const { path, version, rivals } = item;
  return {
    path,
    version: { entries: version.map(({ replicaId, counter }) => ({ replicaId, counter: BigInt(counter) })) },
    ...stateToWire(item, version),
    rivals: rivals.map((rival) => stateToWire(rival, version)),
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
    if (previous !== undefined && previous.replicaId >= entry.replicaId) {
      throw invalidArgument(`${at}.replica_id`, 'must come after the one before it, each replica once');
    }
    if (entry.counter < 1n || entry.counter > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw invalidArgument(`${at}.counter`, 'must be between 1 and 2^53 - 1');
    }
    return { replicaId: parseReplicaId(`${at}.replica_id`, entry.replicaId), counter: Number(entry.counter) };
  });
}

function rivalsFromWire(field: string, wire: readonly WireState[], version: Version, first: ItemState): ItemState[] {
  if (wire.length > wireLimits.rivalsPerItem) {
    throw invalidArgument(`${field}.rivals`, `must be at most ${wireLimits.rivalsPerItem}`);
  }
  const changes = new Set([first.change]);
  let previous = first;
  return wire.map((rival, index) => {
    const at = `${field}.rivals[${index}]`;
    const state = stateFromWire(at, rival, version, false);
    if (changes.has(state.change)) throw invalidArgument(`${at}.change`, 'must be the change of one state only');
    if (compareStates(previous, state) >= 0) throw invalidArgument(at, 'must come after the state before it');
    changes.add(state.change);
    previous = state;
    return state;
  });
}

function stateFromWire(field: string, wire: WireState, version: Version, isVoidItem: boolean): ItemState {
  const change = version[wire.change];
  if (change === undefined) throw invalidArgument(`${field}.change`, 'must be the place of an entry of the version');
  return {
    change,
    at: isVoidItem ? TIME_START : timeFromWire(`${field}.changed_at`, wire.changedAt),
    author: parseDeviceId(`${field}.author_device_id`, wire.authorDeviceId),
    content: contentFromWire(field, wire.content),
  };
}

/** Whether an item says that no state is left, in the one form that there is for it. */
function isVoidOnWire({ content, changedAt, change, authorDeviceId, rivals }: WireItem): boolean {
  if (changedAt !== undefined || content?.$case !== 'deletion') return false;
  return change === 0 && authorDeviceId === NOBODY && rivals.length === 0;
}

function timeFromWire(field: string, wire: WireTime | undefined): HybridTime {
  const wallMs = Number(wire?.wallMs ?? 0n);
  if (wallMs < 1 || wallMs > WALL_MAX_MS) throw invalidArgument(field, `must be between 1 and ${WALL_MAX_MS} ms`);
  return { wallMs, logical: wire?.logical ?? 0 };
}

function stateToWire(state: ItemState, version: Version): WireState {
  const { change, at, author, content } = state;
  const { wallMs, logical } = at;
  return {
    change: version.findIndex(({ replicaId }) => replicaId === change.replicaId),
    changedAt: isVoid(state) ? undefined : { wallMs: BigInt(wallMs), logical },
    authorDeviceId: author,
    content: contentToWire(content),
  };
}
