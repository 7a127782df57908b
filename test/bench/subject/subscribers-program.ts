import { openDevice } from '../../../client/connection/device.js';
import { openChannel } from '../../../common/rpc/client.js';
import { FeedServiceService } from '../../../proto/gen/drystone/feed/v1/feed.js';

/**
 * Subscribers of one namespace. A program: `subscribers-program ADDRESS NAMESPACE-ID CONNECTIONS STREAMS HOME`, as the device
 * whose home that is. Says `ready` when all have caught up. Then, for every line on standard input, prints a line of JSON with all that has arrived since: pairs of
 * a cursor and the nanosecond, by the system's monotonic clock, at which one subscriber had it.
 */
const [address = '', namespaceId = '', connections = '1', streams = '1', home = ''] = process.argv.slice(2);
const { transport } = await openDevice(home);

let arrivals: [cursor: number, atNs: string][] = [];

async function subscribe(channel: ReturnType<typeof openChannel>, caughtUp: () => void): Promise<void> {
  let isLive = false;
  for await (const page of channel
    .service(FeedServiceService)
    .subscribe({ namespaceId, afterCursor: 0n, replicaId: '' })) {
    const atNs = process.hrtime.bigint();
    if (isLive) arrivals.push(...page.entries.map(({ cursor }): [number, string] => [Number(cursor), String(atNs)]));
    if (page.caughtUp && !isLive) {
      isLive = true;
      caughtUp();
    }
  }
}

const ready: Promise<void>[] = [];
for (let connection = 0; connection < Number(connections); connection++) {
  const channel = openChannel(address, transport.channelTo('metadata'));
  for (let stream = 0; stream < Number(streams); stream++) {
    ready.push(
      new Promise((resolve, reject) => {
        subscribe(channel, resolve).catch(reject);
      }),
    );
  }
}
await Promise.all(ready);
console.log('ready');
process.stdin.on('data', () => {
  console.log(JSON.stringify(arrivals));
  arrivals = [];
});
