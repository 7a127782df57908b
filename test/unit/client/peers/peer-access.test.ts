import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../common/clock.js';
import type { HeldIdentity } from '../../../../common/identity/held-identity.js';
import type { DeviceId } from '../../../../common/ids.js';
import { openChannel, type RpcChannel } from '../../../../common/rpc/client.js';
import { FeedServiceService } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { connectBlockServer } from '../../../../server/block-client.js';
import { blockMethods } from '../../../../server/block-codec.js';
import { collect, firstOf, rejection, streamOf } from '../../../support/async-tools.js';
import { BlockFleet, newTokenKey } from '../../../support/blocks/block-fleet.js';
import { blockOf, NAMESPACE, OTHER_NAMESPACE } from '../../../support/blocks/sample-blocks.js';
import { PeerEndpoint } from '../../../support/client/peer-endpoint.js';

const block = blockOf('what is tried with');

let fleet: BlockFleet;
let peer: PeerEndpoint;
let device: HeldIdentity;

beforeEach(async () => {
  fleet = await BlockFleet.create();
  peer = await PeerEndpoint.start(fleet);
  device = await fleet.authority.device();
});

function channelAs(held: HeldIdentity, deviceId: DeviceId = peer.deviceId): RpcChannel {
  const channel = openChannel(peer.address, fleet.authority.transportOf(held).channelTo({ device: deviceId }));
  onTestFinished(() => channel.close());
  return channel;
}

/** Asks the peer for a block with this token. */
function ask(accessToken: string | undefined, namespaceId = NAMESPACE, held = device) {
  const { getBlocks } = channelAs(held).service({ getBlocks: blockMethods.getBlocks });
  return collect(getBlocks(streamOf({ namespaceId, hashes: block.hash }), { accessToken }));
}

it('a peer answers a device of a member, and refuses whoever shows no good access token', async () => {
  // Before it says that it lacks the block it waits a while to hear of it, with signs of life meanwhile.
  const answers = await ask(await fleet.token(device, [[NAMESPACE, 'read']]));
  expect(Buffer.concat(answers.map(({ missingHashes }) => missingHashes))).toEqual(block.hash);
  const refusals: readonly (readonly [reason: string, attempt: () => Promise<unknown>])[] = [
    ['TOKEN_MISSING', async () => ask(undefined)],
    ['TOKEN_INVALID', async () => ask('e30.e30.e30')],
    ['TOKEN_INVALID', async () => ask(await fleet.token(device, undefined, { key: newTokenKey('k1') }))],
    ['TOKEN_INVALID', async () => ask(await fleet.token(await fleet.authority.device()))],
    ['TOKEN_EXPIRED', async () => ask(await fleet.token(device, undefined, { issuedAtMs: 0, expiresAtMs: 60_000 }))],
    ['NAMESPACE_NOT_ASSIGNED', async () => ask(await fleet.token(device, [[OTHER_NAMESPACE, 'read']]))],
    ['NAMESPACE_NOT_ASSIGNED', async () => ask(await fleet.token(device), OTHER_NAMESPACE)],
    ['ROLE_INSUFFICIENT', async () => ask(await fleet.token(device), NAMESPACE, await fleet.authority.agent())],
  ];
  for (const [reason, attempt] of refusals) expect(await rejection(attempt()), reason).toMatchObject({ reason });
}, 60_000);

/** Asks the peer's feed with this token. */
function askFeed(
  rpc: 'readFeed' | 'subscribe',
  accessToken: string | undefined,
  namespaceId = NAMESPACE,
  held = device,
) {
  const feed = channelAs(held).service(FeedServiceService);
  const request = { namespaceId, afterCursor: 0n };
  if (rpc === 'readFeed') return feed.readFeed({ ...request, pageSize: 0, pathPrefix: '' }, { accessToken });
  return firstOf(feed.subscribe({ ...request, replicaId: '' }, { accessToken }));
}

it.each(['readFeed', 'subscribe'] as const)('its feed is for those to whom it gives blocks: %s', async (rpc) => {
  const page = await askFeed(rpc, await fleet.token(device, [[NAMESPACE, 'read']]));
  expect(page).toMatchObject({ entries: [], caughtUp: true });
  expect(page?.accessToken, 'it shows its own').toMatch(/^ey/);
  const refusals: readonly (readonly [reason: string, attempt: () => Promise<unknown>])[] = [
    ['TOKEN_MISSING', async () => askFeed(rpc, undefined)],
    ['TOKEN_INVALID', async () => askFeed(rpc, 'e30.e30.e30')],
    ['TOKEN_INVALID', async () => askFeed(rpc, await fleet.token(device, undefined, { key: newTokenKey('k1') }))],
    ['TOKEN_INVALID', async () => askFeed(rpc, await fleet.token(await fleet.authority.device()))],
    [
      'TOKEN_EXPIRED',
      async () => askFeed(rpc, await fleet.token(device, undefined, { issuedAtMs: 0, expiresAtMs: 60_000 })),
    ],
    ['NAMESPACE_NOT_ASSIGNED', async () => askFeed(rpc, await fleet.token(device, [[OTHER_NAMESPACE, 'read']]))],
    ['NAMESPACE_NOT_ASSIGNED', async () => askFeed(rpc, await fleet.token(device), OTHER_NAMESPACE)],
    [
      'ROLE_INSUFFICIENT',
      async () => askFeed(rpc, await fleet.token(device), NAMESPACE, await fleet.authority.agent()),
    ],
  ];
  for (const [reason, attempt] of refusals) expect(await rejection(attempt()), reason).toMatchObject({ reason });
  peer.ownToken = () => fleet.token(peer.held, [[NAMESPACE, 'read']]);
  const served = await rejection(askFeed(rpc, await fleet.token(device)));
  expect(served, 'one who may only read says nothing').toMatchObject({ code: 'PERMISSION_DENIED' });
});

it('nothing can be pushed to a peer', async () => {
  const { push } = channelAs(device).service(FeedServiceService);
  const accessToken = await fleet.token(device);
  const request = { namespaceId: NAMESPACE, items: [], receipts: [], endorsement: undefined };
  expect(await rejection(collect(push(streamOf(request), { accessToken })))).toMatchObject({ code: 'UNIMPLEMENTED' });
});

it('nothing can be put to a peer', async () => {
  const client = connectBlockServer(channelAs(device), systemClock, () => fleet.token(device));
  const refused = await rejection(collect(client.put(NAMESPACE, streamOf(block))));
  expect(refused).toMatchObject({ code: 'UNIMPLEMENTED' });
});

it('another device, or an agent of the same id, is not taken for the device at its address', async () => {
  const other = await fleet.authority.device();
  if (other.identity.kind !== 'device') throw new Error('a device is a device');
  const { getBlocks } = channelAs(device, other.identity.deviceId).service({ getBlocks: blockMethods.getBlocks });
  const accessToken = await fleet.token(device);
  const asking = collect(getBlocks(streamOf({ namespaceId: NAMESPACE, hashes: block.hash }), { accessToken }));
  expect(await rejection(asking)).toMatchObject({ reason: 'SERVER_UNTRUSTED' });
  const asAgent = openChannel(peer.address, fleet.authority.transportOf(device).channelTo(peer.deviceId as never));
  onTestFinished(() => asAgent.close());
  const calls = asAgent.service({ getBlocks: blockMethods.getBlocks });
  const toAgent = collect(calls.getBlocks(streamOf({ namespaceId: NAMESPACE, hashes: block.hash }), { accessToken }));
  expect(await rejection(toAgent)).toMatchObject({ reason: 'SERVER_UNTRUSTED' });
});

it('the directory connects to nobody who is not the device that it was told of', async () => {
  const seeker = await PeerEndpoint.start(fleet);
  await seeker.meet([{ deviceId: 'f'.repeat(32) as DeviceId, address: peer.address }]);
  expect(seeker.directory.sources()).toEqual([]);
  expect(seeker.tally.summary()).toMatchObject({ peersFound: 1, peerSessions: 0 });
  await seeker.meet([peer]);
  expect(seeker.directory.sources().map(({ id }) => id)).toEqual([peer.deviceId]);
});
