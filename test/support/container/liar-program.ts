import { lying, startStagedPeer } from '../client/staged-peer.js';

/**
 * A peer that lies, as a program: told where its device is, where metadata is, the namespace, the premises, how large the
 * namespace's only file is, where to listen, and where others find it.
 */
const [home, metadata, namespace, premises, sizeBytes, listen, advertised] = process.argv.slice(2) as [
  ...[string, string, string, string, string, string, string],
];
const say = (event: string): void => void process.stdout.write(`${JSON.stringify({ event })}\n`);

await startStagedPeer({
  home,
  metadata,
  namespace,
  premises,
  content: Buffer.alloc(Number(sizeBytes)),
  change: (held) => lying(held, () => say('lied')),
  listen,
  advertise: () => advertised,
});
say('listening');
