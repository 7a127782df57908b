import { setTimeout as sleep } from 'node:timers/promises';
import { HASH_BYTES } from '../../../common/block-hash.js';
import { FeedServiceService, type Item, type PushRequest } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { seededRandom } from '../../support/seeded-random.js';
import type { Bench } from '../bench-line.js';
import { startPeer, type PeerProcess } from '../peer-process.js';
import { median, percentile, spread } from '../statistics.js';
import { startMetadataUnderTest, type MetadataUnderTest } from '../subject/metadata-under-test.js';
import { describeFile } from './commits.js';

const PROCESSES = 4;
const CONNECTIONS = 5;
const STREAMS = 50;
const COMMITS = 50;
const PAUSE_MS = 100;
const LIMIT_MS = 50;
const SUBSCRIBERS = PROCESSES * CONNECTIONS * STREAMS;

/** From the moment a commit is acknowledged to the moment each of a thousand subscribers has the entry. */
export const fanOut: Bench = {
  name: 'fan-out',
  async run({ runs, dir, progress }) {
    const metadata = await startMetadataUnderTest(dir);
    const program = new URL('../subject/subscribers-program.js', import.meta.url);
    const args = [metadata.address, metadata.namespaceId, String(CONNECTIONS), String(STREAMS)];
    const homes = await metadata.moreHomes(PROCESSES);
    const peers = await Promise.all(homes.map((home) => startPeer(program, [...args, home])));
    try {
      progress(`${SUBSCRIBERS} subscribers have caught up`);
      const p99s: number[] = [];
      const medians: number[] = [];
      for (let run = 0; run <= runs; run++) {
        const delaysMs = await measure(metadata, peers, run);
        // The first round compiles what the others run.
        if (run === 0) continue;
        p99s.push(percentile(delaysMs, 0.99));
        medians.push(median(delaysMs));
      }
      return [
        {
          what: `commit → event at ${SUBSCRIBERS} subscribers, p99`,
          measured: median(p99s),
          direction: 'at most',
          limit: LIMIT_MS,
          unit: 'ms',
          limitIs: 'fixed',
          notes: [`p99 ${spread(p99s)}, median ${spread(medians)}, one commit each ${PAUSE_MS} ms`],
        },
      ];
    } finally {
      await Promise.all(peers.map((peer) => peer.end()));
      await metadata.end();
    }
  },
};

/** Commits one item at a time; returns each subscriber's delay for each of them. */
async function measure(metadata: MetadataUnderTest, peers: readonly PeerProcess[], run: number): Promise<number[]> {
  const committedAtNs = new Map<number, bigint>();
  async function* requests(): AsyncGenerator<PushRequest, void, undefined> {
    for (let index = 0; index < COMMITS; index++) {
      await sleep(PAUSE_MS);
      const hash = seededRandom(`fan-out ${run} ${index}`).bytes(HASH_BYTES);
      const items: Item[] = [describeFile(metadata, `run ${run}/${index}`, hash)];
      yield { namespaceId: metadata.namespaceId, items, receipts: [metadata.receipt(hash)], endorsement: undefined };
    }
  }
  for await (const { cursor } of metadata.channel.service(FeedServiceService).push(requests())) {
    committedAtNs.set(Number(cursor), process.hrtime.bigint());
  }
  const delaysMs: number[] = [];
  while (delaysMs.length < COMMITS * SUBSCRIBERS) {
    await sleep(PAUSE_MS);
    for (const [cursor, atNs] of await collect(peers)) {
      const startedAtNs = committedAtNs.get(cursor);
      if (startedAtNs === undefined) throw new Error(`an event of cursor ${cursor} that nobody committed`);
      // Some have the event before the committer has read its answer.
      delaysMs.push(Math.max(0, Number(BigInt(atNs) - startedAtNs) / 1e6));
    }
  }
  return delaysMs;
}

async function collect(peers: readonly PeerProcess[]): Promise<[cursor: number, atNs: string][]> {
  const answers = await Promise.all(
    peers.map(async (peer) => {
      peer.say('collect');
      const line = await peer.lines.next();
      return line.done === true ? [] : (JSON.parse(line.value) as [number, string][]);
    }),
  );
  return answers.flat();
}
