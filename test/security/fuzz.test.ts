import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { hashBlockSync } from '../../common/block-hash.js';
import { createCertificateRequest } from '../../common/identity/certificates.js';
import { DrystoneError } from '../../common/errors.js';
import type { RpcChannel } from '../../common/rpc/client.js';
import type { CallOptions } from '../../common/rpc/method-types.js';
import { MemberRole } from '../../proto/gen/drystone/metadata/v1/access.js';
import { collectGarbage } from '../support/collect-garbage.js';
import { identityFor } from '../support/metadata/callers.js';
import { sampleAgent } from '../support/metadata/samples.js';
import { documentedErrors } from '../support/security/documented-errors.js';
import { FleetUnderAttack } from '../support/security/fleet-under-attack.js';
import { messageBytes, mutatedBytes, type Pools } from '../support/security/message-arbitraries.js';
import { contractRpcs, rawMethod, type ContractRpc } from '../support/security/rpcs.js';
import { newKey } from '../support/trust/test-authority.js';

const MiB = 1024 * 1024;
const seconds = Number(process.env.DRYSTONE_FUZZ_SECONDS ?? 20);
const seed = Number(process.env.DRYSTONE_FUZZ_SEED ?? Date.now() % 2 ** 31);
/** So many devices take turns: one alone would soon be told that it makes too many calls. */
const DEVICES = 12;
/** Calls that last until somebody ends them are left when nothing has come for this long. */
const PATIENCE_MS = 60;
/** What a heap may have grown by once all garbage is gone: caches and records, of a store that forgets nothing. */
const GROWTH_BYTES = 192 * MiB;

const documented = documentedErrors();

type RawCall = (input: unknown, options: CallOptions) => Promise<unknown> & AsyncGenerator;

interface Fuzzer {
  readonly toMetadata: RpcChannel;
  readonly toAgent: RpcChannel;
  readonly deviceId: string;
  readonly accessToken: string;
}

let fleet: FleetUnderAttack;
let agentChannel: RpcChannel;
const devices: Fuzzer[] = [];
let pools: Pools;
/** What `RevokeAgent` may take away. */
let sacrificed: Pools;
let turn = 0;

beforeAll(async () => {
  fleet = await FleetUnderAttack.start();
  const { metadata } = fleet;
  const { account } = metadata.administrator.identity;
  const ids = [await fleet.namespace('shared', { [account]: MemberRole.OWNER })];
  for (let index = 0; index < DEVICES; index++) {
    const device = await fleet.device(account);
    devices.push({
      toMetadata: fleet.channelTo('metadata', device.held),
      toAgent: fleet.channelTo('agent', device.held),
      deviceId: device.identity.deviceId,
      accessToken: await fleet.tokenOf(device, ...ids),
    });
  }
  const fuzzing = sampleAgent('fuzzing');
  await metadata.register(fuzzing);
  agentChannel = fleet.channelTo('metadata', (await metadata.asAgent(fuzzing)).held);
  const [sacrifice, victim] = [sampleAgent('sacrifice'), await fleet.device('victim')];
  await metadata.register(sacrifice);
  const { token } = await metadata.calls.access.issueDeviceToken({ account: 'victim', validSeconds: 0 });
  const { privateKey } = newKey();
  const data = Buffer.from('content');
  sacrificed = { agent_id: [sacrifice.id] };
  // What the fleet stands on, its agent and its administrator, is in no pool of what can be taken away.
  pools = {
    namespace_id: ids,
    namespace_ids: ids,
    namespace_name: ['shared'],
    name: ['shared', 'victim', 'fresh'],
    account: ['victim', 'nobody'],
    premises: ['lisbon', 'here'],
    page_token: [''],
    page_size: [0, 1, 10],
    valid_seconds: [0, 60],
    replicas: [0, 1],
    agent_id: [fuzzing.id],
    agent_ids: [fleet.agentId],
    target_agent_id: [fleet.agentId, ''],
    device_id: [victim.identity.deviceId],
    author_device_id: devices.map(({ deviceId }) => deviceId),
    address: ['here.example:7421'],
    token: [token],
    certificate_request: [await createCertificateRequest(privateKey, identityFor(token, privateKey))],
    hashes: [hashBlockSync(data), Buffer.alloc(0)],
    sizes: [data.length],
    data: [data],
    path: ['a', 'b/c', 'b'],
    path_prefix: ['', 'b'],
    counter: [1n, 2n],
    after_cursor: [0n, 1n],
    after_sequence: [0n, 5n],
  };
});

afterAll(() => fleet.stop());

/** An RPC, and who serves it. */
interface Target {
  readonly rpc: ContractRpc;
  readonly server: 'metadata' | 'agent';
}

const targets: readonly Target[] = contractRpcs.flatMap((rpc): Target[] => {
  const [atMetadata, atAgent] = (['metadata', 'agent'] as const).map((server) => ({ rpc, server }));
  if (rpc.path.startsWith('/drystone.block.')) return [atAgent!];
  return rpc.path.startsWith('/drystone.feed.') ? [atMetadata!, atAgent!] : [atMetadata!];
});

/** Sends the requests, and says what came of it: `ok`, or the code and reason. */
async function outcomeOf({ rpc, server }: Target, requests: readonly Buffer[]): Promise<string> {
  const device = devices[turn++ % devices.length]!;
  const toMetadata = rpc.path.includes('FleetService') ? agentChannel : device.toMetadata;
  const channel = server === 'agent' ? device.toAgent : toMetadata;
  const signal = rpc.responseStream ? AbortSignal.timeout(PATIENCE_MS + 2000) : undefined;
  const token = server === 'agent' ? { accessToken: device.accessToken } : {};
  const options: CallOptions = { ...token, ...(signal && { signal }) };
  const { call } = channel.service({ call: rawMethod(rpc) }) as unknown as { readonly call: RawCall };
  try {
    if (rpc.responseStream) await drain(call(rpc.requestStream ? streamed(requests) : requests[0], options));
    else await call(requests[0], options);
    return 'ok';
  } catch (thrown) {
    if (!(thrown instanceof DrystoneError)) throw thrown;
    return `${thrown.code} ${thrown.reason}: ${thrown.message}`;
  }
}

async function* streamed(requests: readonly Buffer[]): AsyncGenerator<Buffer, void, undefined> {
  yield* requests;
}

/** Reads what comes until the end, or until nothing comes any more. */
async function drain(responses: AsyncGenerator): Promise<void> {
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS, 'late')));
    const next = responses.next();
    next.catch(() => undefined);
    const first = await Promise.race([next, late]);
    clearTimeout(timer);
    if (first === 'late') await responses.return(undefined);
    if (first === 'late' || first.done === true) return;
  }
}

function isDocumented(outcome: string): boolean {
  if (outcome === 'ok') return true;
  const [, code = '', reason = ''] = /^(\w+) (\w+):/.exec(outcome) ?? [];
  if (code === 'INTERNAL' || code === 'UNKNOWN' || code === 'DATA_LOSS') return false;
  // The transport itself refuses a message that is too long (docs/protocol.md, section 3), and nothing else.
  if (reason === 'TRANSPORT') return code === 'RESOURCE_EXHAUSTED';
  return documented.get(reason)?.includes(code) ?? false;
}

const SUBSCRIPTIONS = 'drystone_rpc_open_calls{grpc_service="drystone.feed.v1.FeedService",grpc_method="Subscribe"}';

/** The calls that are open at either server, by method, but for those by which the agent follows what is assigned to it. */
async function openCalls(): Promise<string> {
  const texts = await Promise.all([fleet.metadata.registry.metrics(), fleet.agentRegistry.metrics()]);
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('drystone_rpc_open_calls{'));
  const followed = await fleet.metric('agent', 'drystone_agent_assigned_namespaces');
  return lines.filter((line) => !line.endsWith(' 0') && line !== `${SUBSCRIPTIONS} ${followed}`).join('\n');
}

/** Bytes of the heap once all garbage is gone. */
function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

it(
  `whatever bytes it is sent, every RPC answers by the book (seed ${seed})`,
  { timeout: (seconds + 100) * 1000 },
  async () => {
    console.log(`fuzzing for ${seconds} s with seed ${seed}; the same again: DRYSTONE_FUZZ_SEED=${seed}`);
    const [callsBefore, heapBefore] = [await openCalls(), heapBytes()];
    const tally = new Map<string, number>();
    const requestsOf = (rpc: ContractRpc): fc.Arbitrary<Buffer[]> => {
      const likely = rpc.path.endsWith('/RevokeAgent') ? { ...pools, ...sacrificed } : pools;
      const one = fc.oneof(
        { weight: 5, arbitrary: messageBytes(rpc.input, likely) },
        { weight: 4, arbitrary: mutatedBytes(rpc.input, likely) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
      );
      return rpc.requestStream ? fc.array(one, { maxLength: 4 }) : fc.tuple(one);
    };
    const attempt = fc.oneof(
      ...targets.map((target) => fc.record({ target: fc.constant(target), requests: requestsOf(target.rpc) })),
    );
    const property = fc.asyncProperty(attempt, async ({ target, requests }) => {
      const { rpc, server } = target;
      const outcome = await outcomeOf(target, requests);
      const line = `${rpc.path}@${server} ${outcome.split(':')[0]}`;
      tally.set(line, (tally.get(line) ?? 0) + 1);
      if (isDocumented(outcome)) return;
      throw new Error(
        `${outcome}, said ${rpc.path} of ${server} to ${requests.map((request) => request.toString('hex')).join(' ')}`,
      );
    });
    const parameters = {
      seed,
      numRuns: 10_000_000,
      interruptAfterTimeLimit: seconds * 1000,
      endOnFailure: seconds > 60,
    };
    await fc.assert(property, { ...parameters, markInterruptAsFailure: false });
    await vi.waitFor(async () => expect(await openCalls()).toBe(callsBefore), { timeout: 30_000, interval: 100 });
    expect(heapBytes() - heapBefore).toBeLessThan(GROWTH_BYTES);
    await fleet.metadata.calls.admin.getNamespace({ name: 'shared' });
    const reached = new Set([...tally.keys()].map((line) => line.split(' ')[0]));
    expect([...reached].sort()).toEqual(targets.map(({ rpc, server }) => `${rpc.path}@${server}`).sort());
    if (process.env.DRYSTONE_FUZZ_TALLY !== undefined) console.log([...tally].sort().join('\n'));
  },
);
