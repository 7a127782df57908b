import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { heldBytes } from '../../../../client/act/disk/held-bytes.js';
import { DiskRoom, type PromisedRoom, type RoomAnswer } from '../../../../client/act/download/disk-room.js';
import { freeRoom } from '../../../../common/files/free-room.js';
import { clientLimits } from '../../../../common/limits.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

function roomOn(free: number) {
  const clock = new ManualClock();
  const disk = {
    free,
    readings: 0,
    freeBytes: () => {
      disk.readings++;
      return Promise.resolve(disk.free);
    },
  };
  const pass = (): void => clock.advance(clientLimits.freeSpaceMaxAgeMs);
  return { disk, pass, room: new DiskRoom(disk, '/folder', clock) };
}

function promised(answer: RoomAnswer): PromisedRoom {
  if ('outcome' in answer) throw new Error(answer.outcome);
  return answer;
}

it('promises no more than the disk has, and says how much is missing', async () => {
  const { room, disk } = roomOn(100);
  promised(await room.promise(60));
  expect(await room.promise(60)).toEqual({
    outcome: 'postponed',
    problem: 'the disk has no room for the 60 bytes that it needs; make room for 1 MiB more',
  });
  promised(await room.promise(39));
  expect(await room.promise(3 * 1024 * 1024 + 1)).toMatchObject({
    problem: expect.stringContaining('4 MiB more') as string,
  });
  expect(disk.readings).toBe(1);
});

it('counts what is under way once, be it written or not', async () => {
  const { room, disk, pass } = roomOn(100);
  const large = promised(await room.promise(60));
  large.wrote(50);
  disk.free = 50;
  pass();
  promised(await room.promise(39));
  expect(await room.promise(2)).toMatchObject({ outcome: 'postponed' });
});

it('has room again for what will not come', async () => {
  const { room } = roomOn(100);
  const large = promised(await room.promise(99));
  large.wrote(9);
  large.end();
  large.end();
  expect(await room.promise(91)).toMatchObject({ outcome: 'postponed' });
  promised(await room.promise(90));
});

it('asks for no room for what a partial file holds already', async () => {
  const { room, disk, pass } = roomOn(31);
  const rest = promised(await room.promise(100, 70));
  rest.wrote(70);
  pass();
  expect(await room.promise(1)).toMatchObject({ outcome: 'postponed' });
  rest.wrote(30);
  disk.free = 0;
  pass();
  promised(await room.promise(50, 50));
  expect(await room.promise(1)).toMatchObject({ outcome: 'postponed' });
});

it('notices room that somebody has made', async () => {
  const { room, disk, pass } = roomOn(0);
  expect(await room.promise(1)).toMatchObject({ outcome: 'postponed' });
  disk.free = 100;
  pass();
  promised(await room.promise(50));
});

it('a file takes what is written of it, and what cannot be asked has room', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'file');
  writeFileSync(file, Buffer.alloc(100_000, 1));
  truncateSync(file, 1_000_000_000);
  const held = await heldBytes(file);
  expect(held).toBeGreaterThanOrEqual(100_000);
  expect(held).toBeLessThan(1_000_000);
  expect(await heldBytes(join(directory, 'none'))).toBe(0);
  mkdirSync(join(directory, 'there'));
  expect(await freeRoom(join(directory, 'there'))).toBeGreaterThan(0);
  expect(await freeRoom(join(directory, 'none'))).toBe(Infinity);
});
