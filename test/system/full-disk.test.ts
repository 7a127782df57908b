import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLmdbTreeStore } from '../../client/state/lmdb-tree-store.js';
import type { LocalEntry } from '../../client/state/local-entry.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { DrystoneProcess } from '../support/drystone-process.js';
import { folderDifferences } from '../support/compare-trees.js';
import { fleetTest } from '../support/fleet-test.js';
import type { Fleet } from '../support/fleet.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { waitUntil } from '../support/wait-until.js';

/** Enough for what a test writes, and soon filled. */
const SIZE_MIB = 24;

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} is needed, and the right to mount: ${stderr}`);
}

/**
 * Gives a directory a small disk of its own while `work` lasts, which is told how to fill that, by a file of this name, and how
 * to make room again.
 */
async function onSmallDisk(
  directory: string,
  fillerName: string,
  work: (fill: () => void, makeRoom: () => void) => Promise<void>,
) {
  mkdirSync(directory, { recursive: true });
  run('mount', '-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', directory);
  const filler = join(directory, fillerName);
  try {
    await work(
      () => spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']),
      () => rmSync(filler),
    );
  } finally {
    run('umount', '--lazy', directory);
  }
}

test('a change of the state that found no room holds up neither who waits for what is durable nor the end', async () => {
  const dir = temporaryDirectory();
  await onSmallDisk(dir, 'filler', async (fill, makeRoom) => {
    const state = openLmdbTreeStore(join(dir, 'state'));
    const entries = Array.from({ length: 500 }, (_, index): [ItemPath, LocalEntry] => {
      const path = `directory ${index}` as ItemPath;
      return [path, { kind: 'directory', path }];
    });
    fill();
    await expect(state.write({ local: new Map(entries) })).rejects.toMatchObject({ reason: 'DISK_FULL' });
    await state.durable();
    expect([...state.local.pathsBelow('')]).toEqual([]);
    makeRoom();
    await state.write({ local: new Map(entries) });
    expect([...state.local.pathsBelow('')]).toHaveLength(entries.length);
    fill();
    await expect(state.write({ local: new Map([[entries[0]![0], undefined]]) })).rejects.toMatchObject({
      reason: 'DISK_FULL',
    });
    await state.close();
  });
});

/** Small files, of which each takes some room wherever it is noted. */
function writeFiles(folder: string, name: string, count: number): void {
  for (let index = 0; index < count; index++) writeFileSync(join(folder, `${name} ${index}`), `${name} ${index}`);
}

/** How clients get over a disk that is full: what they say meanwhile, and how long it may take a test before it has failed. */
interface Outlasting {
  readonly saying: RegExp;
  readonly patienceMs: number;
}

const FULL: Outlasting = { saying: /full/, patienceMs: 60_000 };

/** Filled to the last byte it has reached the floor that it was given, of no bytes; then it is asked again after half a minute. */
const AT_THE_FLOOR: Outlasting = { saying: /full|reached the floor of 0 B/, patienceMs: 120_000 };

/** Says so when a client tells that it waits because of a full disk, from now on. */
function waitsForRoom(client: DrystoneProcess, { saying }: Outlasting = FULL): Promise<unknown> {
  const before = client.events.length;
  return waitUntil('it waits for room', () => {
    return client.events.slice(before).find(({ event, reason }) => event === 'waiting' && saying.test(String(reason)));
  });
}

async function untilEqual(a: string, b: string, { patienceMs }: Outlasting = FULL): Promise<void> {
  await waitUntil('the folders are equal', () => folderDifferences(a, b).length === 0, patienceMs);
}

fleetTest('a client whose disk is full waits, and goes on when there is room', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  await onSmallDisk(b, '.drystone/filler', async (fill, makeRoom) => {
    const clients = [fleet.sync('a', 'shared'), fleet.sync('b', 'shared')] as const;
    writeFiles(a, 'first', 20);
    await untilEqual(a, b);
    fill();
    const waits = waitsForRoom(clients[1]);
    writeFiles(a, 'second', 400);
    for (let index = 0; index < 20; index++) rmSync(join(a, `first ${index}`));
    await waits;
    makeRoom();
    await untilEqual(a, b);
    expect(clients.map(({ hasExited }) => hasExited)).toEqual([false, false]);
  });
});

/** Two clients go on after a disk of a server was full, and the one that writes says meanwhile that it waits. */
async function expectBothToOutlast(
  fleet: Fleet,
  fill: () => void,
  makeRoom: () => void,
  outlasting = FULL,
): Promise<void> {
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  const clients = [fleet.sync('a', 'shared'), fleet.sync('b', 'shared')] as const;
  writeFiles(a, 'first', 20);
  await untilEqual(a, b);
  fill();
  const waits = waitsForRoom(clients[0], outlasting);
  writeFiles(a, 'second', 500);
  await waits;
  makeRoom();
  await untilEqual(a, b, outlasting);
  expect(clients.map(({ hasExited }) => hasExited)).toEqual([false, false]);
}

fleetTest('clients wait while the disk of metadata is full', async ({ fleet }) => {
  await onSmallDisk(join(fleet.dir, 'metadata'), 'filler', async (fill, makeRoom) => {
    await fleet.startAll('shared', 1);
    await expectBothToOutlast(fleet, fill, makeRoom);
  });
});

fleetTest(
  'clients wait while the disk of an agent is full, though it is to keep none of it free',
  async ({ fleet }) => {
    await onSmallDisk(join(fleet.dir, 'agent-1'), 'filler', async (fill, makeRoom) => {
      await fleet.startMetadata();
      await fleet.startAgent({ freeFloor: '0' });
      await fleet.createNamespace('shared', 1);
      await expectBothToOutlast(fleet, fill, makeRoom, AT_THE_FLOOR);
    });
  },
);
