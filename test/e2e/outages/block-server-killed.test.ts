import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hashAt, hashCount, hashHex } from '../../../common/block-hash.js';
import type { Block } from '../../../server/block-client.js';
import { collect, rejection, streamOf } from '../../support/async-tools.js';
import { BlockServerProcess, plantBlockSite, type BlockSite } from '../../support/blocks/block-server-process.js';
import { blockOf, hashesOf, manyBlocks, NAMESPACE } from '../../support/blocks/sample-blocks.js';
import { numberBelow, seededRandom } from '../../support/seeded-random.js';

const MiB = 1024 * 1024;
let directory = '';
let site: BlockSite;
const processes: BlockServerProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drystone-killed-'));
  site = await plantBlockSite(directory);
});

afterEach(async () => {
  for (const process of processes.splice(0)) await process.kill();
  await rm(directory, { recursive: true });
});

async function start(fileLimitKiB?: number): Promise<BlockServerProcess> {
  const process = await BlockServerProcess.start(site, fileLimitKiB);
  processes.push(process);
  return process;
}

/** Puts blocks without end until the server is killed, after `killAfter` of them have a receipt; returns what has one. */
async function putUntilKilled(server: BlockServerProcess, seed: string, killAfter: number): Promise<string[]> {
  const random = seededRandom(seed);
  const blocks = async function* (): AsyncGenerator<Block, void, undefined> {
    for (;;) yield blockOf(random.bytes(1 + numberBelow(random.fraction() < 0.5 ? 8192 : MiB, random)));
  };
  const acknowledged: string[] = [];
  const upload = async (): Promise<void> => {
    for await (const { hashes } of server.client.put(NAMESPACE, blocks())) {
      for (let index = 0; index < hashCount(hashes); index++) acknowledged.push(hashHex(hashAt(hashes, index)));
      if (acknowledged.length >= killAfter) server.child.kill('SIGKILL');
    }
  };
  expect(await rejection(upload())).toMatchObject({ code: 'UNAVAILABLE' });
  await server.kill();
  return acknowledged;
}

it('every block that has a receipt is there and sound after the server was killed in mid-put', async () => {
  const acknowledged: string[] = [];
  for (const [round, killAfter] of [1, 60, 200].entries()) {
    acknowledged.push(...(await putUntilKilled(await start(), `round ${round}`, killAfter)));
    const restarted = await start();
    const hashes = acknowledged.map((hash) => Buffer.from(hash, 'hex'));
    const fetched = await collect(restarted.client.get(NAMESPACE, streamOf(Buffer.concat(hashes))));
    expect(fetched.filter(({ data }) => data === undefined)).toEqual([]);
    expect(fetched).toHaveLength(acknowledged.length);
    await restarted.kill();
  }
});

it('a disk that is full refuses blocks, keeps what it has acknowledged and takes blocks again when there is room', async () => {
  const blocks = manyBlocks('full disk', 60, MiB);
  const full = await start(32 * 1024);
  const acknowledged: Buffer[] = [];
  const upload = async (): Promise<void> => {
    for await (const { hashes } of full.client.put(NAMESPACE, streamOf(...blocks)))
      acknowledged.push(Buffer.from(hashes));
  };
  expect(await rejection(upload())).toMatchObject({ code: 'INTERNAL', reason: 'STORE_FAILED' });
  const kept = Buffer.concat(acknowledged);
  expect(hashCount(kept)).toBeGreaterThan(0);
  const stillThere = await collect(full.client.get(NAMESPACE, streamOf(kept)));
  expect(stillThere.filter(({ data }) => data === undefined)).toEqual([]);
  await full.kill();

  const roomy = await start();
  await collect(roomy.client.put(NAMESPACE, streamOf(...blocks)));
  expect(await collect(roomy.client.missing(NAMESPACE, streamOf(hashesOf(blocks))))).toEqual([new Uint8Array(0)]);
});
