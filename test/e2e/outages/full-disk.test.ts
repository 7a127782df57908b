import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderDifferences } from '../../support/compare-trees.js';
import { fleetTest } from '../../support/fleet-test.js';
import { seededRandom } from '../../support/seeded-random.js';

const MIB = 1024 * 1024;

fleetTest(
  'an agent without space says so, keeps what it has, and takes blocks again when there is space',
  async ({ fleet }) => {
    await fleet.startMetadata();
    const agent = await fleet.startAgent();
    await fleet.createNamespace('shared', 1);
    const [a, b] = [fleet.folder('a'), fleet.folder('b')];
    writeFileSync(join(a, 'before.bin'), seededRandom('before').bytes(2 * MIB));
    const client = fleet.sync('a', 'shared');
    await client.event('that it is in sync', ({ event }) => event === 'synced');

    agent.freeFloor = '1000000GiB';
    await agent.server.restart('SIGTERM');
    writeFileSync(join(a, 'after.bin'), seededRandom('after').bytes(2 * MIB));
    const waiting = await client.event('that the disk is full', ({ event, reason }) => {
      return event === 'waiting' && /space|full/i.test(String(reason));
    });
    expect(waiting.retryInMs).toBeGreaterThan(0);
    // What is there can still be read.
    expect((await fleet.run(['cat', 'shared/before.bin'])).code).toBe(0);

    agent.freeFloor = '1MiB';
    await agent.server.restart('SIGTERM');
    await client.event('that the rest is committed', ({ event, summary }) => {
      return event === 'synced' && (summary as { itemsCommitted: number }).itemsCommitted === 2;
    });
    expect(await fleet.syncOnce('b', 'shared')).toMatchObject({ code: 0 });
    expect(folderDifferences(a, b)).toEqual([]);
  },
);
