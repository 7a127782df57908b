import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { HASH_BYTES, hashAt, hashCount } from '../../../common/block-hash.js';
import { wireLimits } from '../../../common/limits.js';
import { FeedServiceService, type PushRequest } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { PresenceServiceService, type FindMissingRequest } from '../../../proto/gen/drystone/metadata/v1/presence.js';
import { seededRandom } from '../../support/seeded-random.js';
import { knowKeys } from '../baseline/durable-lmdb.js';
import type { Bench } from '../bench-line.js';
import { anonymousBytes } from '../memory.js';
import { median, secondsOf, spread, takeTurns } from '../statistics.js';
import { startMetadataUnderTest, type MetadataUnderTest } from '../subject/metadata-under-test.js';

const KNOWN = 1_000_000;
const ASKED = 400_000;
const SHARE = 0.5;
const RECEIPTS_PER_COMMIT = 32;
const MEMORY_LIMIT_MB = 500;

/** One million hashes known, half of those asked missing: over gRPC, beside `doesExist` in the process. */
export const findMissing: Bench = {
  name: 'find-missing',
  async run({ runs, dir, progress }) {
    const known = seededRandom('known').bytes(KNOWN * HASH_BYTES);
    const metadata = await startMetadataUnderTest(dir);
    progress('makes a million hashes known');
    await makeKnown(metadata, known);
    mkdirSync(join(dir, 'bare'));
    const bare = await knowKeys(join(dir, 'bare'), split(known));
    try {
      let round = 0;
      const ask = (): Buffer => mixture(known, `asked ${round++}`);
      const samples = await takeTurns(runs, {
        bare: async () => {
          const keys = split(ask());
          return ASKED / (await secondsOf(() => expectHalf(bare.countMissing(keys))));
        },
        own: async () => {
          const packed = ask();
          return ASKED / (await secondsOf(async () => expectHalf(await countMissing(metadata, packed))));
        },
      });
      return [
        {
          what: 'find missing over gRPC, 1 M known, half missing',
          measured: median(samples.own),
          direction: 'at least',
          limit: SHARE * median(samples.bare),
          unit: 'hashes/s',
          limitIs: `${SHARE} × doesExist in the process`,
          notes: [`own ${spread(samples.own)}, doesExist ${spread(samples.bare)}`],
        },
        {
          what: 'anonymous memory of metadata, 1 M blocks known',
          measured: anonymousBytes(metadata.pid) / 1e6,
          direction: 'at most',
          limit: MEMORY_LIMIT_MB,
          unit: 'MB',
          limitIs: 'fixed',
        },
      ];
    } finally {
      await bare.close();
      await metadata.end();
    }
  },
};

async function makeKnown(metadata: MetadataUnderTest, known: Buffer): Promise<void> {
  const { namespaceId } = metadata;
  const receiptBytes = wireLimits.hashesPerMessage * HASH_BYTES;
  async function* requests(): AsyncGenerator<PushRequest, void, undefined> {
    for (let start = 0; start < known.length; start += RECEIPTS_PER_COMMIT * receiptBytes) {
      const part = known.subarray(start, start + RECEIPTS_PER_COMMIT * receiptBytes);
      const count = Math.ceil(part.length / receiptBytes);
      const receipts = Array.from({ length: count }, (_, index) => {
        return metadata.receipt(part.subarray(index * receiptBytes, (index + 1) * receiptBytes));
      });
      yield { namespaceId, items: [], receipts, endorsement: undefined };
    }
  }
  for await (const { missingHashes } of metadata.channel.service(FeedServiceService).push(requests())) {
    if (missingHashes.length > 0) throw new Error('a commit of receipts alone has nothing to miss');
  }
}

async function countMissing({ channel, namespaceId, agentId }: MetadataUnderTest, packed: Buffer): Promise<number> {
  async function* requests(): AsyncGenerator<FindMissingRequest, void, undefined> {
    const step = wireLimits.hashesPerMessage * HASH_BYTES;
    for (let start = 0; start < packed.length; start += step) {
      yield { namespaceId, targetAgentId: agentId, hashes: packed.subarray(start, start + step) };
    }
  }
  let missing = 0;
  for await (const { missingHashes } of channel.service(PresenceServiceService).findMissing(requests())) {
    missing += hashCount(missingHashes);
  }
  return missing;
}

/** As many hashes as are asked about, every other one of them known, none of them asked twice. */
function mixture(known: Buffer, seed: string): Buffer {
  const packed = seededRandom(seed).bytes(ASKED * HASH_BYTES);
  const first = packed.readUInt32LE(0) % (KNOWN - ASKED);
  for (let index = 0; index < ASKED; index += 2)
    hashAt(known, first + index).forEach((byte, at) => (packed[index * HASH_BYTES + at] = byte));
  return packed;
}

function split(packed: Buffer): Buffer[] {
  return Array.from({ length: hashCount(packed) }, (_, index) =>
    packed.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

function expectHalf(missing: number): void {
  if (missing !== ASKED / 2) throw new Error(`${missing} of ${ASKED} were missing, not half`);
}
