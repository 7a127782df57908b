import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { hashAt } from '../common/block-hash.js';
import type { Clock } from '../common/clock.js';
import { mapAhead } from '../common/concurrency/map-ahead.js';
import { DrystoneError } from '../common/errors.js';
import { entryFromWire } from '../common/feed/item-codec.js';
import type { FeedEntry, FileContent, ItemPath } from '../common/feed/item.js';
import {
  parseNamespaceId,
  type DeviceId,
  type NamespaceId,
  type NamespaceName,
  type PremisesName,
} from '../common/ids.js';
import { clientLimits } from '../common/limits.js';
import type { ProgramContext } from '../common/program/context.js';
import { sourcesOf } from './act/agent-transfers.js';
import { BlockFetcher } from './act/download/block-fetcher.js';
import type { AskedBlock } from './act/download/source-lane.js';
import { AccessTokens } from './connection/access-tokens.js';
import { AgentDirectory } from './connection/agent-directory.js';
import { readAssignment } from './connection/assignment.js';
import { connectOver } from './connection/connect.js';
import { openDeviceBriefly } from './connection/device.js';
import { connectMetadata, type MetadataCalls } from './connection/metadata-calls.js';

/** What reading a namespace without syncing it needs to know. */
export interface ReadConfig {
  readonly namespace: NamespaceName;
  /** HOST:PORT of the metadata service. */
  readonly metadata: string;
  /** The site whose agents are preferred, or undefined for no preference. */
  readonly premises: PremisesName | undefined;
  /** Where the device's key and certificate lie, since its login. */
  readonly homeDir: string;
}

/**
 * The items at or below `prefix` (all where it is empty), deletions left out, in the order of their last change. Raises
 * NOT_FOUND (NAMESPACE_UNKNOWN), and FAILED_PRECONDITION (IDENTITY_MISSING) where the device has not logged in.
 */
export async function* listItems(
  config: ReadConfig,
  context: ProgramContext,
  prefix: ItemPath | '',
): AsyncGenerator<FeedEntry, void, undefined> {
  const reader = await openReader(config, context);
  try {
    yield* readItems(reader, prefix);
  } finally {
    reader.close();
  }
}

/**
 * Writes the content of the file at `path` to `sink`, in order and verified, taking each block from another agent where
 * one lacks it; `sink` is not ended. Returns the size in bytes. Raises NOT_FOUND (ITEM_UNKNOWN) where there is no file,
 * UNAVAILABLE (BLOCKS_UNAVAILABLE) where no agent has a block, and what {@link listItems} raises.
 */
export async function readFile(
  config: ReadConfig,
  context: ProgramContext,
  path: ItemPath,
  sink: Writable,
): Promise<{ readonly sizeBytes: number }> {
  const reader = await openReader(config, context);
  try {
    const content = await findFile(reader, config.namespace, path);
    await writeBlocks(reader, content, config.premises, sink).catch((thrown: unknown) => {
      throw explained(thrown, config.namespace, path);
    });
    return { sizeBytes: content.sizeBytes };
  } finally {
    reader.close();
  }
}

interface Reader {
  readonly self: DeviceId;
  readonly clock: Clock;
  readonly namespaceId: NamespaceId;
  readonly metadata: MetadataCalls;
  readonly agents: AgentDirectory;
  close(): void;
}

async function openReader(config: ReadConfig, context: ProgramContext): Promise<Reader> {
  const { clock } = context;
  const { id: self, transport } = await openDeviceBriefly(config, context);
  const connect = connectOver(transport);
  const channel = connect(config.metadata, 'metadata');
  const metadata = connectMetadata(channel);
  const agents = new AgentDirectory(connect, new AccessTokens({ account: metadata.account, clock }), clock);
  const close = (): void => {
    agents.close();
    channel.close();
  };
  try {
    const assignment = await readAssignment(config.namespace, metadata, {});
    agents.update(assignment);
    const namespaceId = parseNamespaceId('namespace_id', assignment.namespaceId);
    return { self, clock, namespaceId, metadata, agents, close };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

async function* readItems(
  { namespaceId, metadata }: Reader,
  pathPrefix: ItemPath | '',
): AsyncGenerator<FeedEntry, void, undefined> {
  let afterCursor = 0n;
  for (let isCaughtUp = false; !isCaughtUp;) {
    const page = await metadata.feed.readFeed({ namespaceId, afterCursor, pageSize: 0, pathPrefix });
    for (const [index, wire] of page.entries.entries()) {
      const entry = entryFromWire(`entries[${index}]`, wire);
      if (entry.item.content.kind !== 'deletion') yield entry;
    }
    afterCursor = page.nextCursor;
    isCaughtUp = page.caughtUp;
  }
}

async function findFile(reader: Reader, namespace: NamespaceName, path: ItemPath): Promise<FileContent> {
  for await (const { item } of readItems(reader, path)) {
    if (item.path !== path) continue;
    if (item.content.kind === 'file') return item.content;
    const what = item.content.kind === 'symlink' ? `symlink to ${item.content.target}` : item.content.kind;
    const message = `${path} is a ${what}; only files can be read. See what is there with 'drystone ls ${namespace}/${path}'`;
    throw new DrystoneError('NOT_FOUND', 'ITEM_UNKNOWN', message);
  }
  const message = `there is no file ${path} in ${namespace}; see what is there with 'drystone ls ${namespace}'`;
  throw new DrystoneError('NOT_FOUND', 'ITEM_UNKNOWN', message);
}

/** An error that says what to do where nobody gives a block of the file; any other as it is. */
function explained(thrown: unknown, namespace: NamespaceName, path: ItemPath): unknown {
  if (!(thrown instanceof DrystoneError) || thrown.reason !== 'BLOCKS_UNAVAILABLE') return thrown;
  const advice = `'drystone namespace show ${namespace}' says how the agents are that hold it; try again when they are online`;
  const message = `${path} cannot be read: ${thrown.message}; ${advice}`;
  return new DrystoneError(thrown.code, thrown.reason, message, thrown.details, { cause: thrown });
}

/** Fetches blocks some way ahead of the one that is being written. */
async function writeBlocks(
  { self, clock, agents, namespaceId }: Reader,
  { blocks: { hashes, sizes } }: FileContent,
  premises: PremisesName | undefined,
  sink: Writable,
): Promise<void> {
  const sources = sourcesOf(agents, premises, () => undefined);
  const fetcher = new BlockFetcher({ namespaceId, self, sources, clock, isPaced: false });
  const ended = new AbortController();
  const running = fetcher.run(ended.signal);
  const wanted = async function* (): AsyncGenerator<AskedBlock, void, undefined> {
    for (const [index, sizeBytes] of sizes.entries()) yield { hash: hashAt(hashes, index), sizeBytes };
  };
  const fetchOne = (asked: AskedBlock): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      fetcher.want({ ...asked, deliver: resolve, fail: reject });
    });
  try {
    for await (const data of mapAhead(wanted(), clientLimits.readBlocksAhead, fetchOne)) {
      if (!sink.write(data)) await once(sink, 'drain');
    }
    fetcher.end();
    await running;
  } finally {
    ended.abort();
    await running.catch(() => undefined);
  }
}
