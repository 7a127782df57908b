import type { GetBlocksRequest } from '../proto/gen/drystone/block/v1/block.js';
import { checkPackedHashes, hashAt } from '../common/block-hash.js';
import { ByteBudget } from '../common/concurrency/byte-budget.js';
import { mapAhead } from '../common/concurrency/map-ahead.js';
import type { NamespaceId } from '../common/ids.js';
import { blockServerLimits } from '../common/limits.js';
import type { StreamAccess } from './block-access.js';
import type { OutgoingGetAnswer } from './block-codec.js';
import type { BlockReadServer } from './block-server.js';
import type { BlockReader } from './block-store.js';
import { planPortions, type Portion } from './get-portions.js';
import { StreamNamespace } from './stream-namespace.js';

/** A portion whose bytes the stream's budget has granted. */
interface GrantedPortion extends Portion {
  readonly namespaceId: NamespaceId;
}

/**
 * GetBlocks: what a request asks for is planned into portions, several of which are read ahead of the one being sent,
 * within the stream's budget of bytes. A client that does not read stops the stream there.
 */
export async function* getBlocks(
  server: BlockReadServer,
  access: StreamAccess,
  requests: AsyncIterable<GetBlocksRequest>,
  signal: AbortSignal,
): AsyncGenerator<OutgoingGetAnswer, void, undefined> {
  const budget = new ByteBudget(blockServerLimits.getBytesInFlight);
  const stream = server.streams.enter('get', access, budget);
  try {
    const portions = grantedPortions(server.store, new StreamNamespace(access, 'read'), requests, budget, signal);
    const answers = mapAhead(portions, blockServerLimits.getPortionsAhead, async (portion) => ({
      bytes: portion.bytes,
      answer: await readPortion(server, portion),
    }));
    for await (const { bytes, answer } of answers) {
      yield answer;
      budget.give(bytes);
    }
  } finally {
    stream.leave();
  }
}

async function* grantedPortions(
  store: BlockReader,
  namespace: StreamNamespace,
  requests: AsyncIterable<GetBlocksRequest>,
  budget: ByteBudget,
  signal: AbortSignal,
): AsyncGenerator<GrantedPortion, void, undefined> {
  for await (const { namespaceId: field, hashes } of requests) {
    const namespaceId = namespace.of(field);
    checkPackedHashes('hashes', hashes);
    for (const portion of planPortions(hashes, await store.sizes(namespaceId, hashes), blockServerLimits.batchBytes)) {
      await budget.take(portion.bytes, signal);
      // One request may ask for gigabytes: what the client may do can end before they are sent.
      namespace.of('');
      yield { ...portion, namespaceId };
    }
  }
}

/** A portion's blocks from the store; one that has gone since the planning is missing too. */
async function readPortion(
  { store, metrics }: BlockReadServer,
  { namespaceId, hashes }: GrantedPortion,
): Promise<OutgoingGetAnswer> {
  const found = await store.get(namespaceId, hashes);
  const hashesFound: Uint8Array[] = [];
  const missing: Uint8Array[] = [];
  const data: Buffer[] = [];
  found.forEach((content, index) => {
    const hash = hashAt(hashes, index);
    if (content === undefined) {
      missing.push(hash);
    } else {
      hashesFound.push(hash);
      data.push(content);
    }
  });
  metrics.getMissing.inc(missing.length);
  const batch =
    data.length === 0
      ? undefined
      : { hashes: Buffer.concat(hashesFound), sizes: data.map(({ length }) => length), data };
  return { batch, missingHashes: Buffer.concat(missing) };
}
