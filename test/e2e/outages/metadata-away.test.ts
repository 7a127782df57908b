import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderDifferences } from '../../support/compare-trees.js';
import type { DrystoneProcess } from '../../support/drystone-process.js';
import { fleetTest } from '../../support/fleet-test.js';
import type { Fleet } from '../../support/fleet.js';
import { seededRandom } from '../../support/seeded-random.js';
import { waitUntil } from '../../support/wait-until.js';

const SITES = { a: 'site-1', b: 'site-1', c: 'site-2' } as const;
type Name = keyof typeof SITES;

function start(fleet: Fleet, name: Name): DrystoneProcess {
  return fleet.sync(name, 'shared', ['--premises', SITES[name]]);
}

/** An agent at each of two sites, two clients at the first and one at the second, all with the same file. */
async function startSites(fleet: Fleet): Promise<Record<Name, DrystoneProcess>> {
  await fleet.startAll('shared', 2);
  writeFileSync(join(fleet.folder('a'), 'notes.txt'), 'as it was\n');
  const clients = { a: start(fleet, 'a'), b: start(fleet, 'b'), c: start(fleet, 'c') };
  await untilSame(fleet, 'a', 'b');
  await untilSame(fleet, 'a', 'c');
  return clients;
}

async function untilSame(fleet: Fleet, one: Name, other: Name): Promise<void> {
  await waitUntil(`${one} and ${other} are the same`, () => {
    return folderDifferences(fleet.folder(one), fleet.folder(other)).length === 0;
  });
}

async function untilIn(fleet: Fleet, name: Name, file: string, text: string): Promise<void> {
  await waitUntil(`${file} is in ${name}`, () => readFileSync(join(fleet.folder(name), file), 'utf8') === text);
}

async function untilMode(client: DrystoneProcess, mode: string): Promise<void> {
  await client.event(`that it is ${mode}`, (event) => event.event === 'progress' && event.mode === mode);
}

async function folderStatus(fleet: Fleet, name: Name): Promise<{ mode: string; itemsProvisional: number }> {
  const { events } = await fleet.run(['status', '--dir', fleet.folder(name)], name);
  return events[0]!.folder as { mode: string; itemsProvisional: number };
}

async function untilMetadataHasAll(fleet: Fleet, ...names: readonly Name[]): Promise<void> {
  for (const name of names) {
    await waitUntil(`metadata has all of ${name}`, async () => {
      const { mode, itemsProvisional } = await folderStatus(fleet, name);
      return mode === 'online' && itemsProvisional === 0;
    });
  }
}

/** What metadata holds, and that nothing in it is a conflicted copy. */
async function listed(fleet: Fleet): Promise<string[]> {
  const { events } = await fleet.run(['ls', 'shared', '--recursive']);
  return (events[0]!.items as { path: string }[]).map(({ path }) => path).sort();
}

fleetTest(
  'a site whose metadata is away goes on by its agent, and everybody has everything after',
  async ({ fleet }) => {
    const clients = await startSites(fleet);
    await fleet.metadata.end('SIGKILL');
    writeFileSync(join(fleet.folder('a'), 'by a.bin'), seededRandom('a').bytes(3_000_000));
    await untilMode(clients.a, 'agent');
    writeFileSync(join(fleet.folder('b'), 'by b.txt'), 'b');
    await untilSame(fleet, 'a', 'b');
    appendFileSync(join(fleet.folder('b'), 'notes.txt'), 'and what b adds\n');
    await untilIn(fleet, 'a', 'notes.txt', 'as it was\nand what b adds\n');
    const { mode, itemsProvisional } = await folderStatus(fleet, 'a');
    expect([mode, itemsProvisional]).toEqual(['agent', 1]);

    await clients.a.end('SIGKILL');
    appendFileSync(join(fleet.folder('a'), 'notes.txt'), 'and a, later\n');
    writeFileSync(join(fleet.folder('a'), 'while a was off.txt'), 'a');
    clients.a = start(fleet, 'a');
    await untilIn(fleet, 'b', 'while a was off.txt', 'a');
    rmSync(join(fleet.folder('b'), 'by b.txt'));
    await untilSame(fleet, 'a', 'b');
    expect(readdirSync(fleet.folder('c')).sort(), 'the other site has heard of nothing').toEqual([
      '.drystone',
      'notes.txt',
    ]);

    await fleet.metadata.start();
    await untilSame(fleet, 'a', 'c');
    await untilMetadataHasAll(fleet, 'a', 'b', 'c');
    await untilSame(fleet, 'a', 'b');
    expect(await listed(fleet)).toEqual(['by a.bin', 'notes.txt', 'while a was off.txt']);
    expect(readFileSync(join(fleet.folder('c'), 'notes.txt'), 'utf8')).toBe(
      'as it was\nand what b adds\nand a, later\n',
    );
  },
);

fleetTest('what an agent took and never told is told by the clients themselves', async ({ fleet }) => {
  const clients = await startSites(fleet);
  await fleet.metadata.end('SIGKILL');
  for (const name of ['a', 'b'] as const) await untilMode(clients[name], 'agent');
  writeFileSync(join(fleet.folder('a'), 'by a.bin'), seededRandom('lost').bytes(3_000_000));
  rmSync(join(fleet.folder('b'), 'notes.txt'));
  await waitUntil(
    'both have heard of both',
    () => folderDifferences(fleet.folder('a'), fleet.folder('b')).length === 0,
  );
  await waitUntil('a has noted it', async () => (await folderStatus(fleet, 'a')).itemsProvisional === 1);
  await fleet.agents[0]!.server.end('SIGKILL');
  await fleet.metadata.start();
  await untilSame(fleet, 'a', 'c');
  await untilMetadataHasAll(fleet, 'a', 'b');
  expect(await listed(fleet)).toEqual(['by a.bin']);
});
