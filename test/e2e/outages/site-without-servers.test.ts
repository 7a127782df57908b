import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderDifferences } from '../../support/compare-trees.js';
import type { DrystoneProcess } from '../../support/drystone-process.js';
import { fleetTest } from '../../support/fleet-test.js';
import type { Fleet } from '../../support/fleet.js';
import { seededRandom } from '../../support/seeded-random.js';
import { waitUntil } from '../../support/wait-until.js';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

function start(fleet: Fleet, name: Name): DrystoneProcess {
  return fleet.sync(name, 'shared', ['--premises', 'site-1', '--peer-listen', '127.0.0.1:0']);
}

/** One agent and three clients that know each other and have the same file. */
async function startSite(fleet: Fleet): Promise<Record<Name, DrystoneProcess>> {
  await fleet.startAll('shared', 1);
  writeFileSync(join(fleet.folder('a'), 'notes.txt'), 'as it was\n');
  const clients = { a: start(fleet, 'a'), b: start(fleet, 'b'), c: start(fleet, 'c') };
  let pokes = 0;
  await waitUntil('all know each other', () => {
    writeFileSync(join(fleet.folder('a'), 'poke.txt'), `poke ${++pokes}`);
    return NAMES.every((name) => {
      const { summary } = clients[name].events.findLast(({ event }) => event === 'synced') ?? {};
      return ((summary as { peerSessions: number } | undefined)?.peerSessions ?? 0) >= NAMES.length - 1;
    });
  });
  rmSync(join(fleet.folder('a'), 'poke.txt'));
  await untilSame(fleet);
  await untilMetadataHasAll(fleet);
  return clients;
}

async function untilSame(fleet: Fleet): Promise<void> {
  await waitUntil('all folders are the same', () =>
    NAMES.every((name) => folderDifferences(fleet.folder('a'), fleet.folder(name)).length === 0),
  );
}

async function untilIn(fleet: Fleet, name: Name, file: string, text: string): Promise<void> {
  await waitUntil(`${file} is in ${name}`, () => readFileSync(join(fleet.folder(name), file), 'utf8') === text);
}

async function untilPeers(clients: Record<Name, DrystoneProcess>): Promise<void> {
  for (const name of NAMES) {
    await clients[name].event('that it has peers', ({ event, mode }) => event === 'progress' && mode === 'peers');
  }
}

async function folderStatus(fleet: Fleet, name: Name): Promise<{ mode: string; itemsProvisional: number }> {
  const { events } = await fleet.run(['status', '--dir', fleet.folder(name)], name);
  return events[0]!.folder as { mode: string; itemsProvisional: number };
}

async function untilMetadataHasAll(fleet: Fleet): Promise<void> {
  for (const name of NAMES) {
    await waitUntil(`metadata has all of ${name}`, async () => {
      const { mode, itemsProvisional } = await folderStatus(fleet, name);
      return mode === 'online' && itemsProvisional === 0;
    });
  }
}

const SIDES = ['a', 'b'] as const;
const said = (name: Name): string => `what ${name} says\n`;

/** Two change a file, neither in the knowledge of the other; resolves when all have heard of both: each keeps its own. */
async function changeBoth(fleet: Fleet, clients: Record<Name, DrystoneProcess>): Promise<void> {
  for (const name of SIDES) process.kill(clients[name].pid, 'SIGSTOP');
  for (const name of SIDES) writeFileSync(join(fleet.folder(name), 'notes.txt'), said(name));
  for (const name of SIDES) process.kill(clients[name].pid, 'SIGCONT');
  const before = inFolder(fleet, 'c');
  // What each tells after that tells that the others have heard it.
  for (const name of SIDES) writeFileSync(join(fleet.folder(name), `after ${name}.txt`), 'after');
  const marks = SIDES.map((name) => `after ${name}.txt`);
  await waitUntil('all have heard of both', () =>
    NAMES.every((name) => marks.every((mark) => inFolder(fleet, name).includes(mark))),
  );
  for (const name of NAMES) expect(inFolder(fleet, name)).toEqual([...marks, ...before].sort());
  for (const name of SIDES) expect(readFileSync(join(fleet.folder(name), 'notes.txt'), 'utf8')).toBe(said(name));
}

/** Waits until all folders are the same, with both contents. */
async function untilBothKept(fleet: Fleet): Promise<void> {
  await waitUntil('both contents are everywhere', () =>
    NAMES.every((name) => {
      const contents = inFolder(fleet, name).map((file) => readFileSync(join(fleet.folder(name), file), 'utf8'));
      return SIDES.every((one) => contents.includes(said(one)));
    }),
  );
  await untilSame(fleet);
}

/** The paths that metadata holds. */
async function listed(fleet: Fleet): Promise<string[]> {
  const { events } = await fleet.run(['ls', 'shared', '--recursive']);
  return (events[0]!.items as { path: string }[]).map(({ path }) => path).sort();
}

const inFolder = (fleet: Fleet, name: Name): string[] =>
  readdirSync(fleet.folder(name))
    .filter((entry) => entry !== '.drystone')
    .sort();

/** Ends metadata and the agent, and waits until the clients hear each other alone. */
async function killServers(fleet: Fleet, clients: Parameters<typeof untilPeers>[0]): Promise<void> {
  await Promise.all([fleet.metadata.end('SIGKILL'), fleet.agents[0]!.server.end('SIGKILL')]);
  await untilPeers(clients);
}

fleetTest(
  'a site goes on when metadata and its agent are gone, and metadata has everything after',
  { timeout: 240_000 },
  async ({ fleet }) => {
    const clients = await startSite(fleet);
    await killServers(fleet, clients);
    const content = seededRandom('by a').bytes(3_000_000);
    writeFileSync(join(fleet.folder('a'), 'by a.bin'), content);
    writeFileSync(join(fleet.folder('b'), 'by b.txt'), 'b');
    await untilSame(fleet);
    expect(inFolder(fleet, 'c')).toEqual(['by a.bin', 'by b.txt', 'notes.txt']);
    expect(readFileSync(join(fleet.folder('c'), 'by a.bin')).equals(content)).toBe(true);
    appendFileSync(join(fleet.folder('c'), 'notes.txt'), 'and what c adds\n');
    await untilIn(fleet, 'a', 'notes.txt', 'as it was\nand what c adds\n');
    rmSync(join(fleet.folder('c'), 'by b.txt'));
    await untilSame(fleet);
    await changeBoth(fleet, clients);
    expect((await folderStatus(fleet, 'a')).mode).toBe('peers');

    await fleet.metadata.start();
    await fleet.agents[0]!.server.start();
    await untilBothKept(fleet);
    await untilMetadataHasAll(fleet);
    const files = inFolder(fleet, 'a');
    expect(files).toHaveLength(5);
    expect(await listed(fleet)).toEqual(files);
    const late = await fleet.syncOnce('late', 'shared');
    expect(late.code).toBe(0);
    expect(folderDifferences(fleet.folder('a'), fleet.folder('late'))).toEqual([]);
  },
);

fleetTest(
  'what two change at the same time while there are only peers is kept once, also when an agent is back first',
  { timeout: 240_000 },
  async ({ fleet }) => {
    const clients = await startSite(fleet);
    await killServers(fleet, clients);
    await clients.c.end('SIGKILL');
    clients.c = start(fleet, 'c');
    await changeBoth(fleet, clients);

    await fleet.agents[0]!.server.start();
    await waitUntil('the agent stands in', async () => (await folderStatus(fleet, 'a')).mode === 'agent');
    await untilBothKept(fleet);
    const files = inFolder(fleet, 'a');
    expect(files).toHaveLength(4);
    await fleet.metadata.start();
    await untilMetadataHasAll(fleet);
    await untilSame(fleet);
    expect(inFolder(fleet, 'c')).toEqual(files);
    expect(await listed(fleet)).toEqual(files);
    const { events } = await fleet.run(['audit', '--namespace', 'shared']);
    const relayed = (events[0]!.entries as { action: string }[]).filter(
      ({ action }) => action === 'commit.provisional',
    );
    expect(relayed.length, 'the agent was told, and has passed it on').toBeGreaterThan(0);
    const late = await fleet.syncOnce('late', 'shared');
    expect(late.code).toBe(0);
    expect(folderDifferences(fleet.folder('a'), fleet.folder('late'))).toEqual([]);
  },
);
