import { join } from 'node:path';
import { expect, test } from 'vitest';
import { itemToWire } from '../../common/feed/item-codec.js';
import { openChannel } from '../../common/rpc/client.js';
import { plaintextCredentials } from '../../common/rpc/credentials.js';
import type { CommitRequest } from '../../proto/gen/drystone/metadata/v1/commit.js';
import { itemAt, sampleAgent } from '../support/metadata/samples.js';
import { metadataCalls, openHeartbeat, type MetadataCalls } from '../support/metadata/service.js';
import { ServedProcess } from '../support/served-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const ITEMS_PER_COMMIT = 100;
const KILLS = 5;

/** Commits under names of this round until the service dies; returns the last cursor that was acknowledged. */
async function commitUntilKilled(calls: MetadataCalls, namespaceId: string, round: number, kill: () => void) {
  async function* requests(): AsyncGenerator<CommitRequest, void, undefined> {
    for (let batch = 0; ; batch++) {
      const items = Array.from({ length: ITEMS_PER_COMMIT }, (_, index) =>
        itemToWire(itemAt(`${round}/${batch}/${index}`)),
      );
      yield { namespaceId, items, receipts: [] };
    }
  }
  let acknowledged = 0n;
  let answers = 0;
  const ending = (async () => {
    for await (const { cursor } of calls.commit.commit(requests())) {
      acknowledged = cursor;
      // Requests are on their way and in the store now: a good moment for the worst.
      if (++answers === 3 + round) kill();
    }
  })();
  await expect(ending).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  return acknowledged;
}

/** Every entry of the feed. */
async function readFeed(calls: MetadataCalls, namespaceId: string) {
  const entries: { cursor: bigint; path: string }[] = [];
  for (let afterCursor = 0n; ;) {
    const page = await calls.feed.readFeed({ namespaceId, afterCursor, pageSize: 0, pathPrefix: '' });
    entries.push(...page.entries.map(({ cursor, item }) => ({ cursor, path: item?.path ?? '' })));
    if (page.caughtUp) return entries;
    afterCursor = page.nextCursor;
  }
}

test('metadata killed in mid-commit has all that it acknowledged, commits whole, and a dense feed', async () => {
  const data = join(temporaryDirectory(), 'metadata');
  const server = new ServedProcess((listen, http) => {
    return ['metadata', 'serve', '--data', data, '--listen', listen, '--http', http, '--json'];
  });
  await server.start();
  const channel = openChannel(server.address, plaintextCredentials().channel);
  try {
    const calls = metadataCalls(channel);
    const agent = sampleAgent('lisbon');
    await calls.fleet.registerAgent(agent.row);
    const line = await openHeartbeat(calls, agent.id);
    const { namespace } = await calls.admin.createNamespace({ name: 'shared', replicas: 1 });
    const namespaceId = namespace?.namespaceId ?? '';
    for (let round = 0; round < KILLS; round++) {
      let killed: Promise<unknown> | undefined;
      const acknowledged = await commitUntilKilled(calls, namespaceId, round, () => {
        killed = server.end('SIGKILL');
      });
      await killed;
      await server.start();
      const entries = await readFeed(calls, namespaceId);
      expect(entries.length).toBeGreaterThanOrEqual(Number(acknowledged));
      // One transaction a message: it is there as a whole, or not at all.
      expect(entries.length % ITEMS_PER_COMMIT).toBe(0);
      expect(entries.map(({ cursor }) => cursor)).toEqual(entries.map((_, index) => BigInt(index + 1)));
      expect(new Set(entries.map(({ path }) => path)).size).toBe(entries.length);
    }
    await line.ended;
  } finally {
    channel.close();
    await server.end('SIGTERM');
  }
});
