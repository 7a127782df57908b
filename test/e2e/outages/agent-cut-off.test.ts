import { join } from 'node:path';
import { expect } from 'vitest';
import { openDevice } from '../../../client/connection/device.js';
import { systemClock } from '../../../common/clock.js';
import { loadIdentity } from '../../../common/identity/identity-files.js';
import type { NamespaceId } from '../../../common/ids.js';
import { openChannel } from '../../../common/rpc/client.js';
import { FeedServiceService, type Item } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { connectBlockServer } from '../../../server/block-client.js';
import { endorsedPush } from '../../support/agent/endorsed-push.js';
import { collect, streamOf } from '../../support/async-tools.js';
import { agentIdOf } from '../../support/blocks/block-fleet.js';
import { blockOf } from '../../support/blocks/sample-blocks.js';
import { changedBy } from '../../support/feed/wire-change.js';
import { fleetTest } from '../../support/fleet-test.js';
import { metadataCalls } from '../../support/metadata/calls.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { waitUntil } from '../../support/wait-until.js';

const block = blockOf('what was written while the site was cut off');

function fileOf(deviceId: string): Item {
  const blocks = { hashes: Buffer.from(block.hash), sizes: [block.data.length] };
  const value = { size: BigInt(block.data.length), modifiedAtMs: 0n, executable: false, blocks };
  return { ...changedBy(deviceId), path: 'report.txt', content: { $case: 'file', value } };
}

fleetTest(
  'what a site does while it is cut off from metadata survives its agent’s death, and is metadata’s afterwards',
  async ({ fleet, onTestFinished }) => {
    await fleet.startMetadata();
    const line = await startTcpProxy(fleet.metadata.address);
    onTestFinished(() => line.close());
    const { server } = await fleet.startAgent({ metadata: line.address });
    await fleet.createNamespace('shared', 1);

    const device = await openDevice(fleet.homeOf('writer'));
    const upward = openChannel(fleet.metadata.address, device.transport.channelTo('metadata'));
    onTestFinished(() => upward.close());
    const calls = metadataCalls(upward);
    const { assignments } = await calls.account.getAssignments({ namespaceName: 'shared' });
    const namespaceId = assignments[0]!.namespaceId as NamespaceId;
    const { accessToken } = await calls.account.issueAccessToken({ namespaceIds: [namespaceId] });
    const agentId = agentIdOf((await loadIdentity(join(fleet.dir, 'agent-1'), 'agent'))!);
    const openAgent = () => {
      const channel = openChannel(server.address, device.transport.channelTo(agentId));
      onTestFinished(() => channel.close());
      return channel;
    };
    const read = { namespaceId, afterCursor: 0n, pageSize: 0, pathPrefix: '' };
    const before = openAgent();
    await waitUntil('the agent holds the namespace', () =>
      before.service(FeedServiceService).readFeed(read, { accessToken }),
    );

    line.target = undefined;
    line.cut();
    const blocks = connectBlockServer(before, systemClock, async () => accessToken);
    await collect(blocks.put(namespaceId, streamOf(block)));
    const request = endorsedPush(namespaceId, device.held, [fileOf(device.id)]);
    const answers = await collect(before.service(FeedServiceService).push(streamOf(request), { accessToken }));
    expect(answers).toMatchObject([{ cursor: 1n, merged: [], missingHashes: { length: 0 } }]);
    expect((await calls.feed.readFeed(read)).entries).toEqual([]);

    await server.restart('SIGKILL');
    const here = await openAgent().service(FeedServiceService).readFeed(read, { accessToken });
    expect(here.entries.map(({ item }) => item)).toEqual(request.items);
    expect(await server.metric('drystone_agent_feed_provisional_messages')).toBe(1);
    expect((await calls.feed.readFeed(read)).entries).toEqual([]);

    line.target = fleet.metadata.address;
    const { entries } = await waitUntil('metadata has it', async () => {
      const page = await calls.feed.readFeed(read);
      return page.entries.length > 0 && page;
    });
    expect(entries.map(({ item }) => item)).toEqual(request.items);
    await waitUntil('nothing waits', async () => {
      return (await server.metric('drystone_agent_feed_provisional_messages')) === 0;
    });
    const { events } = await fleet.run(['audit', '--namespace', 'shared']);
    const audited = (events[0]!.entries as { action: string }[]).filter(
      ({ action }) => action === 'commit.provisional',
    );
    expect(audited).toMatchObject([
      { actor: `agent site-1/${agentId}`, subject: device.id, namespace: 'shared', facts: { items: '1' } },
    ]);
  },
);
