import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import type { AgentDirectory } from '../../../../client/connection/agent-directory.js';
import { agentUpstream } from '../../../../client/upstream/agent-upstream.js';
import { DrystoneError } from '../../../../common/errors.js';
import { checkEndorsement, encodeWireItems } from '../../../../common/feed/endorsement.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import { idOfPublicKey, type AgentId, type DeviceId, type NamespaceId } from '../../../../common/ids.js';
import { rawPublicKey } from '../../../../common/receipt.js';
import type { PushRequest, PushResponse } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';
import { ManualClock } from '../../../support/manual-clock.js';

const namespaceId = '0'.repeat(32) as NamespaceId;
const agentId = 'a'.repeat(32) as AgentId;
const { privateKey } = generateKeyPairSync('ed25519');
const signal = new AbortController().signal;

async function* listed<T>(values: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* values;
}

function upstreamTo(agents: Partial<Record<keyof AgentDirectory, unknown>>) {
  const clock = new ManualClock(1_700_000_000_000);
  return agentUpstream({ namespaceId, agentId, agents: agents as unknown as AgentDirectory, privateKey, clock });
}

test('what is pushed to an agent carries the word of the device for it', async () => {
  const pushed: PushRequest[] = [];
  async function* push(requests: AsyncIterable<PushRequest>): AsyncGenerator<PushResponse> {
    for await (const request of requests) {
      pushed.push(request);
      yield { cursor: BigInt(pushed.length), missingHashes: new Uint8Array(0), merged: [] };
    }
  }
  const upstream = upstreamTo({ feedOf: () => ({ push }) });
  const items = [itemToWire(itemFrom('a', [stateBy('d', 1, 1, DIRECTORY)]))];
  const answers = [];
  for await (const { cursor } of upstream.push(listed([{ items, receipts: [] }]), signal)) answers.push(cursor);
  expect([upstream.isProvisional, answers]).toEqual([true, [1n]]);
  const { endorsement, ...request } = pushed[0]!;
  expect(request).toEqual({ namespaceId, items, receipts: [] });
  expect(checkEndorsement(endorsement!, { namespaceId, items: encodeWireItems(items) })).toEqual({
    device: idOfPublicKey<DeviceId>(rawPublicKey(privateKey)),
    pushedAtMs: 1_700_000_000_000,
  });
});

test('the agent itself is asked what it lacks, and no other takes its place in the upload', async () => {
  const failures: DrystoneError[] = [];
  async function* missing(_namespace: NamespaceId, lists: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const list of lists) yield list.subarray(32);
  }
  const upstream = upstreamTo({
    blocksOf: () => ({ missing }),
    noteFailure: (_agent: AgentId, error: DrystoneError) => failures.push(error),
  });
  const target = await upstream.chooseTarget(new Uint8Array(32), signal);
  expect(target.agentId).toBe(agentId);
  const hashes = Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
  const lacking = [];
  for await (const list of target.missing(listed([hashes]), signal)) lacking.push(list);
  expect(lacking).toEqual([Buffer.alloc(32, 2)]);
  const broken = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'the line broke');
  expect(target.onFailure(broken)).toBe(false);
  expect(failures).toEqual([broken]);
});
