import { join } from 'node:path';
import { systemClock } from '../../../common/clock.js';
import type { AgentId, NamespaceId } from '../../../common/ids.js';
import { loadOrCreateSigningKey } from '../../../common/program/signing-key.js';
import { signReceipt, type Receipt } from '../../../common/receipt.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { plaintextCredentials } from '../../../common/rpc/credentials.js';
import { AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import { AdminServiceService } from '../../../proto/gen/drystone/metadata/v1/admin.js';
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
  readonly channel: RpcChannel;
  /** A receipt for packed hashes. */
  receipt(hashes: Uint8Array): WireReceipt;
  end(): Promise<void>;
}

export async function startMetadataUnderTest(dir: string): Promise<MetadataUnderTest> {
  const fleet = new Fleet('direct', dir);
  await fleet.startMetadata();
  const key = await loadOrCreateSigningKey<AgentId>(join(fleet.dir, 'agent.key'));
  const channel = openChannel(fleet.metadata.address, plaintextCredentials().channel);
  const fleetService = channel.service(FleetServiceService);
  const { publicKey, privateKey, id: agentId } = key;
  await fleetService.registerAgent({ publicKey, premises: 'bench', address: '127.0.0.1:1', softwareVersion: 'bench' });
  const ended = new AbortController();
  const heartbeats = fleetService.heartbeat(heartbeatsOf(agentId, ended.signal), { signal: ended.signal });
  await heartbeats.next();
  const beating = drain(heartbeats);
  const { namespace } = await channel.service(AdminServiceService).createNamespace({ name: 'bench', replicas: 1 });
  const namespaceId = (namespace?.namespaceId ?? '') as NamespaceId;
  return {
    address: fleet.metadata.address,
    pid: fleet.metadata.process.pid,
    agentId,
    namespaceId,
    channel,
    receipt: (hashes) =>
      wire(signReceipt({ agentId, namespaceId, issuedAtMs: systemClock.nowMs(), hashes }, privateKey)),
    async end() {
      ended.abort();
      await beating;
      channel.close();
      await fleet.endAll();
    },
  };
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
