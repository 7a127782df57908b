import { closeSync, copyFileSync, fsyncSync, lstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { systemClock } from '../../common/clock.js';
import { createInlineCutter } from '../../client/observe/inline-cutter.js';
import { stampOf } from '../../client/observe/stable-file.js';
import { numberBelow, seededRandom } from '../support/seeded-random.js';
import type { StoredBlock } from './baseline/durable-lmdb.js';

const PIECE_BYTES = 16 * 1024 * 1024;

/** Writes `sizeBytes` that do not compress, onto the disk, so that writing them back disturbs nothing that is measured. */
export function writeLargeFile(path: string, sizeBytes: number, seed: string): void {
  const random = seededRandom(seed);
  const file = openSync(path, 'wx');
  for (let left = sizeBytes; left > 0; left -= PIECE_BYTES) writeSync(file, random.bytes(Math.min(left, PIECE_BYTES)));
  fsyncSync(file);
  closeSync(file);
}

/** A copy with one byte more, at its start. */
export function copyWithByteInserted(source: string, target: string): void {
  const from = openSync(source, 'r');
  const to = openSync(target, 'wx');
  const piece = Buffer.alloc(PIECE_BYTES);
  writeSync(to, 'x');
  for (let read = readSync(from, piece); read > 0; read = readSync(from, piece)) writeSync(to, piece, 0, read);
  fsyncSync(to);
  closeSync(to);
  closeSync(from);
}

/** A copy with `count` single bytes changed, at places that follow from the seed. */
export function copyWithBytesChanged(source: string, target: string, count: number, seed: string): void {
  copyFileSync(source, target);
  const random = seededRandom(seed);
  const { size } = statSync(source);
  const file = openSync(target, 'r+');
  const byte = Buffer.alloc(1);
  for (let index = 0; index < count; index++) {
    const place = numberBelow(size, random);
    readSync(file, byte, 0, 1, place);
    byte[0] = (byte[0] ?? 0) ^ 0xff;
    writeSync(file, byte, 0, 1, place);
  }
  fsyncSync(file);
  closeSync(file);
}

/** Reads a file once, so that it lies in memory for whoever is measured next. */
export function warm(path: string): void {
  const file = openSync(path, 'r');
  const piece = Buffer.alloc(PIECE_BYTES);
  while (readSync(file, piece) > 0);
  closeSync(file);
}

/** The blocks of a file, exactly as a client cuts them. */
export async function blocksOf(path: string): Promise<StoredBlock[]> {
  const cutter = createInlineCutter(systemClock);
  const stamp = stampOf(lstatSync(path, { bigint: true }));
  const blocks: StoredBlock[] = [];
  for await (const { hash, data } of cutter.cutFile({ absolutePath: path, stamp }, new AbortController().signal)) {
    if (data !== undefined) blocks.push({ hash: Buffer.from(hash), data: Buffer.from(data) });
  }
  await cutter.close();
  return blocks;
}
