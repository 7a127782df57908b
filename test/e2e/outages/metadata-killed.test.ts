import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { itemToWire } from '../../../common/feed/item-codec.js';
import type { DeviceIdentity } from '../../../common/identity/identity.js';
import type { PushRequest } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { TestEnrollment, type TestCaller } from '../../support/metadata/callers.js';
import type { MetadataCalls } from '../../support/metadata/calls.js';
import { openHeartbeat } from '../../support/metadata/heartbeats.js';
import { itemAt, sampleAgent } from '../../support/metadata/samples.js';
import { ServedProcess } from '../../support/served-process.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const ITEMS_PER_COMMIT = 100;
const KILLS = 5;

/** Commits under names of this round until the service dies; returns the last cursor that was acknowledged. */
async function commitUntilKilled(
  { identity, calls }: TestCaller<DeviceIdentity>,
  namespaceId: string,
  round: number,
  kill: () => void,
) {
  async function* requests(): AsyncGenerator<PushRequest, void, undefined> {
    for (let batch = 0; ; batch++) {
      const items = Array.from({ length: ITEMS_PER_COMMIT }, (_, index) => {
        const item = itemToWire(itemAt(`${round}/${batch}/${index}`));
        return { ...item, authorDeviceId: identity.deviceId };
      });
      yield { namespaceId, items, receipts: [], endorsement: undefined };
    }
  }
  let acknowledged = 0n;
  let answers = 0;
  const ending = (async () => {
    for await (const { cursor } of calls.feed.push(requests())) {
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
  const { adminTokenFile } = await server.start();
  const enrollment = new TestEnrollment(server.address, data);
  try {
    const device = (await enrollment.join(
      readFileSync(String(adminTokenFile), 'utf8').trim(),
    )) as TestCaller<DeviceIdentity>;
    const { calls } = device;
    const agent = sampleAgent('lisbon');
    const { token } = await calls.access.issueAgentToken({ premises: agent.row.premises, validSeconds: 0 });
    const agentCalls = (await enrollment.join(token, agent.privateKey)).calls;
    await agentCalls.fleet.registerAgent({ address: agent.row.address, softwareVersion: '1' });
    const line = await openHeartbeat(agentCalls, agent.id);
    const { namespace } = await calls.admin.createNamespace({ name: 'shared', replicas: 1 });
    const namespaceId = namespace?.namespaceId ?? '';
    for (let round = 0; round < KILLS; round++) {
      let killed: Promise<unknown> | undefined;
      const acknowledged = await commitUntilKilled(device, namespaceId, round, () => {
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
    enrollment.close();
    await server.end('SIGTERM');
  }
});
