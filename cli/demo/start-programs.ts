import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';
import { DrystoneError } from '../../common/errors.js';
import { listAgents, withAdmin, type AdminClient } from '../fleet/admin-client.js';
import { agentStateName } from '../fleet/agent-view.js';
import { NAMESPACE, SITES, type DemoClient, type DemoFleet, type DemoServer } from './demo-fleet.js';
import type { DemoProgram } from './demo-report.js';
import { metricsUrl } from './scrape.js';

/** The programs of a running demo. */
export interface DemoPrograms {
  readonly metadata: DemoServer;
  readonly agents: readonly DemoServer[];
  /** At whose folder changes are made. */
  readonly writer: DemoClient;
  /** At whose folder they arrive. */
  readonly reader: DemoClient;
  readonly namespaceId: string;
}

const POLL_MS = 50;
const ONLINE_WITHIN_MS = 20_000;

/**
 * Starts metadata, an agent at each site, a namespace held by both, and a client at each site, each with an empty folder
 * in `directory`; resolves when both clients have nothing to do.
 */
export async function startPrograms(
  fleet: DemoFleet,
  directory: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<DemoPrograms> {
  const metadata = await fleet.startMetadata();
  const [writerSite, readerSite] = SITES;
  const agents = await Promise.all(SITES.map((site) => fleet.startAgent(site, metadata.address)));
  const namespaceId = await withAdmin(metadata.address, async (admin) => {
    await untilOnline(admin, agents.length, clock, signal);
    const { namespace } = await admin.createNamespace({ name: NAMESPACE, replicas: agents.length }, { signal });
    return namespace?.namespaceId ?? '';
  });
  const startClient = async (site: typeof writerSite | typeof readerSite): Promise<DemoClient> => {
    const folder = join(directory, site);
    await mkdir(folder);
    const client = await fleet.startClient(site, metadata.address, folder);
    await client.program.waitFor('synced', signal);
    return client;
  };
  const [writer, reader] = await Promise.all([startClient(writerSite), startClient(readerSite)]);
  return { metadata, agents, writer, reader, namespaceId };
}

async function untilOnline(admin: AdminClient, count: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const startedAtMs = clock.monotonicMs();
  for (;;) {
    const agents = await listAgents(admin, signal);
    if (agents.filter(({ state }) => agentStateName(state) === 'online').length >= count) return;
    if (clock.monotonicMs() - startedAtMs > ONLINE_WITHIN_MS) {
      throw new DrystoneError(
        'UNAVAILABLE',
        'AGENTS_TOO_FEW',
        `${count} agents were not online in ${ONLINE_WITHIN_MS} ms`,
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}

/** The programs for people and for the report. */
export function describePrograms({ metadata, agents, writer, reader }: DemoPrograms): readonly DemoProgram[] {
  const servers = [metadata, ...agents].map(({ program: { name, pid }, address, http }) => {
    return { name, pid, address, metrics: metricsUrl(http) };
  });
  const clients = [writer, reader].map(({ program: { name, pid }, folder }) => ({ name, pid, folder }));
  return [...servers, ...clients];
}
