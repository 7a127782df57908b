import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../common/clock.js';
import type { DeviceIdentity } from '../../common/identity/identity.js';
import type { NamespaceId } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import { receiptToMessage } from '../../common/receipt-message.js';
import { signReceipt, type Receipt } from '../../common/receipt.js';
import type { Item } from '../../proto/gen/drystone/feed/v1/feed.js';
import { MemberRole } from '../../proto/gen/drystone/metadata/v1/access.js';
import type { PushResponse } from '../../proto/gen/drystone/feed/v1/feed.js';
import { connectBlockServer, type BlockClient } from '../../server/block-client.js';
import { getTexts, putBlocks, tokensFrom } from '../support/agent/agent-under-test.js';
import { collect, rejection, streamOf } from '../support/async-tools.js';
import { blockOf } from '../support/blocks/sample-blocks.js';
import type { TestCaller } from '../support/metadata/callers.js';
import { FleetUnderAttack } from '../support/security/fleet-under-attack.js';
import { changedBy } from '../support/feed/wire-change.js';

const secret = blockOf('what only the members of `hers` may read');
const MALLORYS = Array.from({ length: 18 }, (_, index) => `mallorys-${index}`);

let fleet: FleetUnderAttack;
let hers: NamespaceId;
let his: NamespaceId[];
let ana: TestCaller<DeviceIdentity>;
let mallory: TestCaller<DeviceIdentity>;
let anasBlocks: BlockClient;
let mallorysBlocks: BlockClient;
/** Of the secret, in `hers`: mallory has got hold of it. */
let receipt: Receipt;

beforeAll(async () => {
  fleet = await FleetUnderAttack.start();
  [ana, mallory] = [await fleet.device('ana'), await fleet.device('mallory')];
  hers = await fleet.namespace('hers', { ana: MemberRole.OWNER });
  his = [];
  for (const name of MALLORYS) his.push(await fleet.namespace(name, { mallory: MemberRole.OWNER }));
  anasBlocks = blocksOf(ana);
  mallorysBlocks = blocksOf(mallory);
  const receipts = await putBlocks(anasBlocks, hers, secret);
  receipt = receipts[0]!;
});

afterAll(() => fleet.stop());

function blocksOf(device: TestCaller<DeviceIdentity>): BlockClient {
  return connectBlockServer(fleet.channelTo('agent', device.held), systemClock, tokensFrom(device));
}

/** A file that consists of the secret, as the device would commit it. */
function claim({ identity }: TestCaller<DeviceIdentity>, path = 'claimed'): Item {
  const file = {
    size: BigInt(secret.data.length),
    modifiedAtMs: 0n,
    executable: false,
    blocks: { hashes: secret.hash, sizes: [secret.data.length] },
  };
  const { deviceId } = identity;
  return { ...changedBy(deviceId), path, content: { $case: 'file', value: file } };
}

function commit(
  device: TestCaller<DeviceIdentity>,
  namespaceId: NamespaceId,
  items: Item[],
  receipts: readonly Receipt[] = [],
): Promise<PushResponse[]> {
  return collect(
    device.calls.feed.push(
      streamOf({ namespaceId, items, receipts: receipts.map(receiptToMessage), endorsement: undefined }),
    ),
  );
}

const receiptInvalid = { code: 'PERMISSION_DENIED', reason: 'RECEIPT_INVALID' };

it('nobody reads a block by its hash, in whichever of many namespaces on the same agent', async () => {
  for (const id of his) {
    expect(await getTexts(mallorysBlocks, id, secret)).toEqual([undefined]);
    expect(await collect(mallorysBlocks.missing(id, streamOf(secret.hash)))).toEqual([secret.hash]);
  }
  expect(await rejection(getTexts(mallorysBlocks, hers, secret))).toMatchObject({ reason: 'NAMESPACE_UNKNOWN' });
});

it('find-missing does not tell that a block is there for others', async () => {
  const [namespaceId] = his;
  for (const targetAgentId of [fleet.agentId, '']) {
    const request = { namespaceId: namespaceId!, targetAgentId, hashes: secret.hash };
    const [answer] = await collect(mallory.calls.presence.findMissing(streamOf(request)));
    expect([answer!.missingHashes, answer!.candidates]).toEqual(
      targetAgentId === '' ? [new Uint8Array(0), [{ agentId: fleet.agentId, missingCount: 1 }]] : [secret.hash, []],
    );
  }
});

it('a commit claims no block of another namespace: it is missing, and nothing is committed', async () => {
  const [answer] = await commit(mallory, his[0]!, [claim(mallory)]);
  expect(answer).toMatchObject({ missingHashes: secret.hash, cursor: 0n });
  expect(await getTexts(mallorysBlocks, his[0]!, secret)).toEqual([undefined]);
});

it('a receipt of another namespace claims nothing, as it is or made out to this one', async () => {
  const [namespaceId] = his;
  expect(await rejection(commit(mallory, namespaceId!, [claim(mallory)], [receipt]))).toMatchObject(receiptInvalid);
  const altered = { ...receipt, namespaceId: namespaceId! };
  expect(await rejection(commit(mallory, namespaceId!, [claim(mallory)], [altered]))).toMatchObject(receiptInvalid);
  const ownWord = signReceipt(altered, mallory.held.privateKey);
  expect(await rejection(commit(mallory, namespaceId!, [claim(mallory)], [ownWord]))).toMatchObject(receiptInvalid);
});

it('a receipt is good again in its own namespace, and changes nothing; not after its time', async () => {
  await commit(ana, hers, [claim(ana)], [receipt]);
  expect(await commit(ana, hers, [claim(ana)], [receipt])).toMatchObject([
    { cursor: 1n, missingHashes: new Uint8Array(0) },
  ]);
  fleet.clock.shiftMs = metadataLimits.receiptMaxAgeMs + 60_000;
  try {
    expect(await rejection(commit(ana, hers, [], [receipt]))).toMatchObject(receiptInvalid);
  } finally {
    fleet.clock.shiftMs = 0;
  }
});

it('who has the bytes has the block: it is then there for the namespace that they were sent for, and no other', async () => {
  const [first, second] = his;
  const receipts = await putBlocks(mallorysBlocks, first!, secret);
  expect(await commit(mallory, first!, [claim(mallory)], receipts)).toMatchObject([
    { missingHashes: new Uint8Array(0) },
  ]);
  expect(await getTexts(mallorysBlocks, second!, secret)).toEqual([undefined]);
  const [answer] = await commit(mallory, second!, [claim(mallory)]);
  expect(answer!.missingHashes).toEqual(secret.hash);
});

it('the receipts of an agent that was revoked are worth nothing', async () => {
  await fleet.metadata.calls.access.revokeAgent({ agentId: fleet.agentId });
  expect(await rejection(commit(ana, hers, [claim(ana, 'later')], [receipt]))).toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'AGENT_NOT_ASSIGNED',
  });
});
