import { hashAt, hashBlockSync, hashCount, hashHex } from '../../common/block-hash.js';
import { decodeItem } from '../../common/feed/item-codec.js';
import { statesOf, type Item, type ItemPath } from '../../common/feed/item.js';
import { sameItem } from '../../common/feed/merge.js';
import { conflictsOf } from '../../common/feed/conflicts.js';
import { CURSOR_START } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { live } from '../../client/plan/difference.js';
import type { Entry } from './folder/folder.js';
import type { SimulatedFleet } from './fleet.js';
import { textOf, type People } from './people.js';

/** Sleeps that an idle program may be in. */
const SLEEPS = 8;
/** The same for each peer that it may be about to connect to: until the line is there, and until it says what it has. */
const SLEEPS_PER_PEER = 2;

/** What is not as it should be in a fleet that has come to rest; nothing where all is well. */
export async function checkFleet(fleet: SimulatedFleet, people: People): Promise<string[]> {
  const items = await itemsOf(fleet);
  return [
    ...fleet.failures,
    ...fleet.network.defects.map((defect) => `a handler failed: ${defect}`),
    ...checkFolders(fleet, items),
    ...checkTexts(fleet, people),
    ...(await checkFeed(fleet, items)),
    ...(await checkReplicas(fleet, items)),
    ...(await checkPresence(fleet, items)),
    ...checkMemory(fleet),
  ];
}

/** What the namespace holds, as its feed tells from the start. */
async function itemsOf({ metadata, namespace }: SimulatedFleet): Promise<Map<ItemPath, Item>> {
  const items = new Map<ItemPath, Item>();
  const { entries } = await metadata.store.journal.readFeed(namespace.id, {
    after: CURSOR_START,
    maxEntries: Infinity,
    maxBytes: Infinity,
    pathPrefix: '',
  });
  for (const { item } of entries) items.set(decodeItem(item).path, decodeItem(item));
  return items;
}

function checkFolders({ clients }: SimulatedFleet, items: ReadonlyMap<ItemPath, Item>): string[] {
  const problems: string[] = [];
  const wanted = shownItems(items);
  for (const { place, folder } of clients) {
    const held = shownFolder(folder.entries);
    const missing = wanted.filter((line) => !held.includes(line));
    const surplus = held.filter((line) => !wanted.includes(line));
    if (missing.length + surplus.length === 0) continue;
    problems.push(`${place.name} lacks [${missing.join('; ')}] and has [${surplus.join('; ')}] too many`);
  }
  for (const item of items.values()) {
    if (conflictsOf(item).length > 0) problems.push(`${item.path} has conflicts that nobody has settled`);
  }
  return problems;
}

function shownItems(items: ReadonlyMap<ItemPath, Item>): string[] {
  const lines: string[] = [];
  for (const item of items.values()) {
    const content = live(item)?.content;
    if (content === undefined) continue;
    if (content.kind === 'file') {
      const hash = content.blocks.sizes.length === 1 ? hashHex(content.blocks.hashes) : String(content.sizeBytes);
      lines.push(`${item.path} file ${hash} ${content.modifiedAtMs} ${content.executable}`);
    } else {
      lines.push(content.kind === 'symlink' ? `${item.path} → ${content.target}` : `${item.path}/`);
    }
  }
  return lines.sort();
}

function shownFolder(entries: ReadonlyMap<ItemPath, Entry>): string[] {
  const lines: string[] = [];
  for (const [path, entry] of entries) {
    if (entry.kind === 'file') {
      const isSmall = entry.bytes.length <= 128 * 1024 && entry.bytes.length > 0;
      const hash = isSmall ? hashHex(hashBlockSync(entry.bytes)) : String(entry.bytes.length);
      lines.push(`${path} file ${hash} ${entry.modifiedAtMs} ${entry.executable}`);
    } else {
      lines.push(entry.kind === 'symlink' ? `${path} → ${entry.target}` : `${path}/`);
    }
  }
  return lines.sort();
}

/** What nobody replaced is there, whole; and nothing is there more often than people explain. */
function checkTexts({ clients }: SimulatedFleet, people: People): string[] {
  const problems: string[] = [];
  const counts = new Map<string, number>();
  const [first] = clients;
  for (const [path, entry] of first?.folder.entries ?? []) {
    if (entry.kind !== 'file') continue;
    const text = textOf(entry.bytes);
    counts.set(text, (counts.get(text) ?? 0) + 1);
    const written = people.texts.get(text);
    if (written?.hash !== hashHex(hashBlockSync(entry.bytes))) problems.push(`${path} holds what nobody wrote`);
  }
  for (const [text, { isReplaced, places }] of people.texts) {
    const count = counts.get(text) ?? 0;
    if (count === 0 && !isReplaced) problems.push(`"${text}" is lost`);
    if (count > places) problems.push(`"${text}" is there ${count} times, at most ${places} were expected`);
  }
  return problems;
}

/** The feed is dense, each path is in it once, and every client has read it to its end. */
async function checkFeed(fleet: SimulatedFleet, items: ReadonlyMap<ItemPath, Item>): Promise<string[]> {
  const { metadata, namespace, clients } = fleet;
  const problems: string[] = [];
  const { journal } = metadata.store;
  const head = await journal.feedHead(namespace.id);
  let after = CURSOR_START;
  const seen = new Set<string>();
  for (let isCaughtUp = false; !isCaughtUp;) {
    const query = { after, maxEntries: 3, maxBytes: wireLimits.pageBytes, pathPrefix: '' };
    const page = await journal.readFeed(namespace.id, query);
    for (const { cursor, item } of page.entries) {
      const { path } = decodeItem(item);
      if (cursor <= after || cursor > head.cursor) problems.push(`the feed has ${path} at ${cursor} after ${after}`);
      if (seen.has(path)) problems.push(`the feed has ${path} twice`);
      seen.add(path);
      after = cursor;
    }
    after = page.nextCursor;
    isCaughtUp = page.caughtUp;
  }
  if (after !== head.cursor) problems.push(`the feed ends at ${after}, not at ${head.cursor}`);
  const liveCount = [...items.values()].filter((item) => live(item) !== undefined).length;
  if (liveCount !== head.itemCount) problems.push(`the feed counts ${head.itemCount} items, not ${liveCount}`);
  for (const { place, store } of clients) {
    if (store?.provisionalCount !== 0) problems.push(`${place.name} has ${store?.provisionalCount} provisional items`);
    if (store?.cursor !== head.cursor) problems.push(`${place.name} has read up to ${store?.cursor} of ${head.cursor}`);
  }
  return problems;
}

/** Every agent's replica says what metadata's feed does, and no message waits to be passed on. */
async function checkReplicas(
  { agents, metadata, namespace }: SimulatedFleet,
  items: ReadonlyMap<ItemPath, Item>,
): Promise<string[]> {
  const problems: string[] = [];
  const head = await metadata.store.journal.feedHead(namespace.id);
  for (const { agent, feeds } of agents) {
    const name = agent.row.address;
    const { followed } = await feeds.progress(namespace.id);
    if (followed !== head.cursor) problems.push(`${name} has followed up to ${followed} of ${head.cursor}`);
    if ((await feeds.firstProvisional(namespace.id)) !== undefined) problems.push(`at ${name} a message still waits`);
    const query = { after: CURSOR_START, maxEntries: Infinity, maxBytes: Infinity, pathPrefix: '' };
    const { entries } = await feeds.readFeed(namespace.id, query);
    const held = new Map(entries.map(({ item }) => decodeItem(item)).map((item) => [item.path, item]));
    for (const path of new Set([...items.keys(), ...held.keys()])) {
      const [ours, theirs] = [items.get(path), held.get(path)];
      const isSame = ours !== undefined && theirs !== undefined && sameItem(ours, theirs);
      if (!isSame) problems.push(`${name} knows another ${path}`);
    }
  }
  return problems;
}

/** What metadata believes an agent to hold, it holds; and of every block of an item at least one assigned agent does. */
async function checkPresence(fleet: SimulatedFleet, items: ReadonlyMap<ItemPath, Item>): Promise<string[]> {
  const { metadata, agents, namespace } = fleet;
  const problems: string[] = [];
  const held = new Map<string, number>();
  const hashes = [...items.values()].flatMap((item) =>
    statesOf(item).flatMap(({ content }) => {
      if (content.kind !== 'file') return [];
      const { blocks } = content;
      return Array.from({ length: hashCount(blocks.hashes) }, (_, index) => hashAt(blocks.hashes, index));
    }),
  );
  for (const hash of hashes) held.set(hashHex(hash), 0);
  for (const { agent, blocks } of agents) {
    for (const hash of hashes) {
      const missing = await metadata.store.presence.findMissing(namespace.id, agent.id, hash);
      if (missing.length > 0) continue;
      const [sizeBytes = 0] = await blocks.sizes(namespace.id, hash);
      if (sizeBytes > 0) held.set(hashHex(hash), (held.get(hashHex(hash)) ?? 0) + 1);
      else
        problems.push(`metadata believes ${agent.row.address} to hold ${hashHex(hash).slice(0, 8)}, and it does not`);
    }
  }
  for (const [hash, count] of held) if (count === 0) problems.push(`no agent holds ${hash.slice(0, 8)}`);
  return problems;
}

/** Nothing is left open by what is over. */
function checkMemory({ nodes, clients }: SimulatedFleet): string[] {
  const problems: string[] = [];
  const peerCount = clients.filter(({ place }) => place.peers !== undefined).length;
  const most = SLEEPS + SLEEPS_PER_PEER * Math.max(0, peerCount - 1);
  for (const { process } of nodes) {
    if (process !== undefined && process.sleepCount > most) {
      problems.push(`${process.name} is in ${process.sleepCount} sleeps`);
    }
  }
  return problems;
}
