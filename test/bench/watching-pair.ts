import { Fleet, type Route } from '../support/fleet.js';
import type { DrystoneProcess } from '../support/drystone-process.js';

/** Two clients that watch the same namespace, one agent between them. */
export interface WatchingPair {
  readonly fleet: Fleet;
  readonly a: string;
  readonly b: string;
  readonly clients: readonly DrystoneProcess[];
  /** Process ids by what they are. */
  readonly pids: Readonly<Record<'client a' | 'client b' | 'agent' | 'metadata', number>>;
  /** Bytes that clients have sent to servers, and got from them; only where the route is proxied. */
  wireBytes(): { readonly up: number; readonly down: number };
}

export async function startWatchingPair(dir: string, route: Route): Promise<WatchingPair> {
  const fleet = new Fleet(route, dir);
  await fleet.startAll('bench', 1);
  const clients = [fleet.sync('a', 'bench'), fleet.sync('b', 'bench')] as const;
  await Promise.all(clients.map(untilQuiet));
  const [clientA, clientB] = clients;
  const agents = fleet.agents.map(({ server }) => server.process.pid);
  return {
    fleet,
    a: fleet.folder('a'),
    b: fleet.folder('b'),
    clients,
    pids: {
      'client a': clientA.pid,
      'client b': clientB.pid,
      agent: agents[0] ?? 0,
      metadata: fleet.metadata.process.pid,
    },
    wireBytes() {
      const networks = [fleet.metadataNetwork, ...fleet.agents.map(({ network }) => network)];
      return {
        up: networks.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
        down: networks.reduce((sum, { bytesDown }) => sum + bytesDown, 0),
      };
    },
  };
}

async function untilQuiet(client: DrystoneProcess): Promise<void> {
  await client.event('that it is in sync', ({ event }) => event === 'synced');
}
