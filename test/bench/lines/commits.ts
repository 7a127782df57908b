import { HASH_BYTES } from '../../../common/block-hash.js';
import { wireLimits } from '../../../common/limits.js';
import { FeedServiceService, type Item, type PushRequest } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { seededRandom } from '../../support/seeded-random.js';
import type { Bench } from '../bench-line.js';
import { median, secondsOf, spread } from '../statistics.js';
import { startMetadataUnderTest, type MetadataUnderTest } from '../subject/metadata-under-test.js';

const ITEMS = 40_960;
const LIMIT = 20_000;
const FILE_BYTES = 4096;
const REPLICA = 'e'.repeat(32);

/** Small files, each with a block of its own and its receipt, in full messages, until the last is acknowledged. */
export const commits: Bench = {
  name: 'commits',
  async run({ runs, dir }) {
    const metadata = await startMetadataUnderTest(dir);
    try {
      const samples: number[] = [];
      for (let run = 0; run < runs; run++) {
        const requests = describeCommits(metadata, run);
        samples.push(ITEMS / (await secondsOf(() => commitAll(metadata, requests))));
      }
      return [
        {
          what: 'commits of small items, durable',
          measured: median(samples),
          direction: 'at least',
          limit: LIMIT,
          unit: 'items/s',
          limitIs: 'fixed',
          notes: [spread(samples)],
        },
      ];
    } finally {
      await metadata.end();
    }
  },
};

/** Made, and receipts signed, before the clock: that is not what is measured. */
function describeCommits(metadata: MetadataUnderTest, run: number): PushRequest[] {
  const random = seededRandom(`commits ${run}`);
  return Array.from({ length: ITEMS / wireLimits.itemsPerCommit }, (_, batch) => {
    const hashes = random.bytes(wireLimits.itemsPerCommit * HASH_BYTES);
    const items = Array.from({ length: wireLimits.itemsPerCommit }, (_, index) => {
      return describeFile(
        metadata,
        `run ${run}/directory ${batch}/file ${index}`,
        hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
      );
    });
    return { namespaceId: metadata.namespaceId, items, receipts: [metadata.receipt(hashes)], endorsement: undefined };
  });
}

/** A new file of one block. */
export function describeFile({ deviceId }: MetadataUnderTest, path: string, hash: Uint8Array): Item {
  return {
    path,
    version: { entries: [{ replicaId: REPLICA, counter: 1n }] },
    change: 0,
    changedAt: { wallMs: 1_700_000_000_000n, logical: 0 },
    authorDeviceId: deviceId,
    rivals: [],
    content: {
      $case: 'file',
      value: {
        size: BigInt(FILE_BYTES),
        modifiedAtMs: 1_700_000_000_000n,
        executable: false,
        blocks: { hashes: hash, sizes: [FILE_BYTES] },
      },
    },
  };
}

async function commitAll({ channel }: MetadataUnderTest, requests: readonly PushRequest[]): Promise<void> {
  async function* all(): AsyncGenerator<PushRequest, void, undefined> {
    yield* requests;
  }
  for await (const { missingHashes, merged } of channel.service(FeedServiceService).push(all())) {
    if (missingHashes.length > 0 || merged.length > 0) throw new Error('a commit was not accepted');
  }
}
