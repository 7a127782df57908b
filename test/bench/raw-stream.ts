import { PIECE_BYTES } from './baseline/byte-stream.js';
import { connectRaw, type RawClient } from './baseline/raw-grpc-client.js';
import { startPeer, type PeerProcess } from './peer-process.js';
import { secondsOf, type Subject } from './statistics.js';
import { connectFactory } from './subject/factory-client.js';

const MB = 1e6;

/** A connection to a byte stream server in another process, measured in MB/s. */
export interface StreamSubject {
  readonly put: Subject;
  readonly get: Subject;
  end(): Promise<void>;
}

/** grpc-js, tuned, with nothing around it: without TLS, or mutual TLS with the identities in `identityDir`. */
export function startRawStream(bytesPerRun: number, identityDir?: string): Promise<StreamSubject> {
  return start(new URL('./baseline/raw-grpc-program.js', import.meta.url), connectRaw, bytesPerRun, identityDir);
}

/** The same messages through common/rpc. */
export function startFactoryStream(bytesPerRun: number, identityDir?: string): Promise<StreamSubject> {
  return start(new URL('./subject/factory-program.js', import.meta.url), connectFactory, bytesPerRun, identityDir);
}

async function start(
  server: URL,
  connect: (address: string, identityDir?: string) => Promise<RawClient>,
  bytesPerRun: number,
  identityDir: string | undefined,
): Promise<StreamSubject> {
  const peer: PeerProcess = await startPeer(server, identityDir === undefined ? [] : [identityDir]);
  const client = await connect(peer.greeting, identityDir);
  const count = Math.ceil(bytesPerRun / PIECE_BYTES);
  const rate = (seconds: number): number => (count * PIECE_BYTES) / MB / seconds;
  // Both sides compile what they run before the first sample.
  await client.put(Math.ceil(count / 4));
  await client.get(Math.ceil(count / 4));
  return {
    put: async () => rate(await secondsOf(() => client.put(count))),
    get: async () => rate(await secondsOf(() => client.get(count))),
    async end() {
      client.close();
      await peer.end();
    },
  };
}
