import { openDevice } from '../../../client/connection/device.js';
import { systemClock } from '../../../common/clock.js';
import { joinFleet } from '../../../common/identity/join.js';
import { parseEnrollmentToken } from '../../../common/identity/enrollment-token.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import { idOfPublicKey, type AgentId, type DeviceId, type NamespaceId } from '../../../common/ids.js';
import { systemRandom } from '../../../common/random.js';
import { rawPublicKey, signReceipt, type Receipt } from '../../../common/receipt.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { mutualTls } from '../../../common/rpc/transport-credentials.js';
import { AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import { FleetServiceService, type HeartbeatRequest } from '../../../proto/gen/drystone/metadata/v1/fleet.js';
import type { Receipt as WireReceipt } from '../../../proto/gen/drystone/block/v1/block.js';
import { Fleet } from '../../support/fleet.js';

const FREE_BYTES = 1n << 40n;
const HEARTBEAT_MS = 2_000;

/** A real metadata service with a namespace whose one agent is played by the bench: it signs for blocks that nobody has. */
export interface MetadataUnderTest {
  readonly address: string;
  readonly pid: number;
  readonly agentId: AgentId;
  readonly namespaceId: NamespaceId;
  /** As a device that may edit the namespace; it is the author of what it commits. */
  readonly channel: RpcChannel;
  readonly deviceId: DeviceId;
  /** Homes of so many other such devices. */
  moreHomes(count: number): Promise<readonly string[]>;
  /** A receipt for packed hashes. */
  receipt(hashes: Uint8Array): WireReceipt;
  end(): Promise<void>;
}

export async function startMetadataUnderTest(dir: string): Promise<MetadataUnderTest> {
  const fleet = new Fleet('direct', dir);
  await fleet.startMetadata();
  const { address } = fleet.metadata;
  const agent = await joinAsAgent(fleet);
  const { privateKey } = agent;
  const agentId = idOfPublicKey<AgentId>(rawPublicKey(privateKey));
  const agentChannel = openChannel(address, mutualTls(agent).channelTo('metadata'));
  const fleetService = agentChannel.service(FleetServiceService);
  await fleetService.registerAgent({ address: '127.0.0.1:1', softwareVersion: 'bench' });
  const ended = new AbortController();
  const heartbeats = fleetService.heartbeat(heartbeatsOf(agentId, ended.signal), { signal: ended.signal });
  await heartbeats.next();
  const beating = drain(heartbeats);
  await fleet.createNamespace('bench', 1);
  const { namespace } = await fleet.admissions.ask(({ admin }) => admin.getNamespace({ name: 'bench' }));
  const namespaceId = (namespace?.namespaceId ?? '') as NamespaceId;
  const device = await openDevice(fleet.homeOf('bench'));
  const channel = openChannel(address, device.transport.channelTo('metadata'));
  return {
    address,
    pid: fleet.metadata.process.pid,
    agentId,
    namespaceId,
    channel,
    deviceId: device.id,
    async moreHomes(count) {
      await fleet.admitDevices(count);
      return Array.from({ length: count }, (_, index) => fleet.homeOf(`other ${index}`));
    },
    receipt: (hashes) =>
      wire(signReceipt({ agentId, namespaceId, issuedAtMs: systemClock.nowMs(), hashes }, privateKey)),
    async end() {
      ended.abort();
      await beating;
      channel.close();
      agentChannel.close();
      await fleet.endAll();
    },
  };
}

async function joinAsAgent(fleet: Fleet): Promise<HeldIdentity> {
  const tokenText = await fleet.admissions.agentToken('bench');
  return joinFleet({
    address: fleet.metadata.address,
    token: parseEnrollmentToken('token', tokenText),
    tokenText,
    dir: fleet.folder('agent'),
    displayName: '',
    clock: systemClock,
    random: systemRandom,
  });
}

function wire(receipt: Receipt): WireReceipt {
  return { ...receipt, issuedAtMs: BigInt(receipt.issuedAtMs) };
}

async function* heartbeatsOf(agentId: AgentId, signal: AbortSignal): AsyncGenerator<HeartbeatRequest, void, undefined> {
  const capacity = {
    freeBytes: FREE_BYTES,
    totalBytes: FREE_BYTES,
    freeFloorBytes: 0n,
    blockCount: 0n,
    blockBytes: 0n,
  };
  while (!signal.aborted) {
    yield { agentId, state: AgentState.ONLINE, ...capacity };
    await systemClock.sleep(HEARTBEAT_MS, signal).catch(() => undefined);
  }
}

async function drain(responses: AsyncIterable<unknown>): Promise<void> {
  const iterator = responses[Symbol.asyncIterator]();
  try {
    while ((await iterator.next()).done !== true);
  } catch {
    // It is cancelled at the end.
  }
}
