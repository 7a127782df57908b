import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';
import { DrystoneError } from '../../common/errors.js';
import { parseNamespaceId, type NamespaceId } from '../../common/ids.js';
import { agentStateName } from '../fleet/agent-view.js';
import type { FleetCalls } from '../fleet/fleet-connection.js';
import { listAgents } from '../fleet/listings.js';
import { memberRoles } from '../fleet/roles.js';
import { Admissions } from './admissions.js';
import {
  COLLEAGUE,
  NAMESPACE,
  PEOPLE,
  SITES,
  type DemoClient,
  type DemoFleet,
  type DemoServer,
  type Site,
} from './demo-fleet.js';
import type { DemoProgram } from './demo-report.js';
import { metricsUrl } from './scrape.js';
import { STRANGER } from './stranger.js';
import type { WanLine } from './wan-line.js';

/** The programs of a running demo. */
export interface DemoPrograms {
  readonly metadata: DemoServer;
  readonly agents: readonly DemoServer[];
  /** At whose folder changes are made. */
  readonly writer: DemoClient;
  /** At whose folder they arrive. */
  readonly reader: DemoClient;
  readonly namespaceId: NamespaceId;
  /** The line of the writer's site. */
  readonly line: WanLine;
  readonly admissions: Admissions;
}

const POLL_MS = 50;
const ONLINE_WITHIN_MS = 20_000;

/**
 * Starts metadata, an agent at each site, a namespace held by both and shared with a device at each site, and a client
 * there, each with an empty folder in `directory`; resolves when both clients have nothing to do.
 */
export async function startPrograms(
  fleet: DemoFleet,
  directory: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<DemoPrograms> {
  const metadata = await fleet.startMetadata();
  const { address, adminTokenFile } = metadata;
  const newFleet = { metadata: address, adminTokenFile, adminHome: fleet.homeOf('admin') };
  const admissions = await Admissions.open(newFleet, signal);
  const [writerSite, readerSite] = SITES;
  const line = await fleet.layLine(writerSite, address);
  const metadataFrom = (site: Site): string => (site === writerSite ? line.address : address);
  const startAgent = async (site: Site): Promise<DemoServer> =>
    fleet.startAgent(site, metadataFrom(site), await admissions.agentToken(site));
  const agents = await Promise.all(SITES.map(startAgent));
  await admissions.createAccount(COLLEAGUE);
  for (const account of [...Object.values(PEOPLE), STRANGER]) {
    await admissions.createAccount(account);
    await admissions.admitDevice(account, fleet.homeOf(account));
  }
  const namespaceId = await admissions.ask(async (calls) => {
    await untilOnline(calls, agents.length, clock, signal);
    return createNamespace(calls, writerSite, readerSite, signal);
  });
  const startClient = async (site: Site): Promise<DemoClient> => {
    const folder = join(directory, site);
    await mkdir(folder);
    const client = await fleet.startClient({ site, person: PEOPLE[site], folder, metadata: metadataFrom(site) });
    await client.program.waitFor('synced', signal);
    return client;
  };
  const [writer, reader] = await Promise.all([startClient(writerSite), startClient(readerSite)]);
  return { metadata, agents, writer, reader, namespaceId, line, admissions };
}

/** Starts a client for one more person at the writer's site, with an empty folder in `directory`. */
export async function startColleague(
  fleet: DemoFleet,
  { admissions, writer, line }: DemoPrograms,
  directory: string,
): Promise<DemoClient> {
  await admissions.admitDevice(COLLEAGUE, fleet.homeOf(COLLEAGUE));
  const folder = join(directory, `${writer.site}-${COLLEAGUE}`);
  await mkdir(folder);
  return fleet.startClient({ site: writer.site, person: COLLEAGUE, folder, metadata: line.address });
}

/** A namespace at every site, which belongs to one person and may be edited by the other. */
async function createNamespace(
  { admin, access }: FleetCalls,
  ownerSite: Site,
  editorSite: Site,
  signal: AbortSignal,
): Promise<NamespaceId> {
  const { namespace } = await admin.createNamespace({ name: NAMESPACE, replicas: SITES.length }, { signal });
  const members = [
    { account: PEOPLE[ownerSite], role: memberRoles.owner },
    { account: PEOPLE[editorSite], role: memberRoles.editor },
    { account: COLLEAGUE, role: memberRoles.editor },
  ];
  for (const member of members) await access.shareNamespace({ namespaceName: NAMESPACE, ...member }, { signal });
  return parseNamespaceId('namespace_id', namespace?.namespaceId ?? '');
}

async function untilOnline(calls: FleetCalls, count: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const startedAtMs = clock.monotonicMs();
  for (;;) {
    const agents = await listAgents(calls, signal);
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
export function describePrograms(
  { metadata, agents, writer, reader, line }: DemoPrograms,
  colleague?: DemoClient,
): readonly DemoProgram[] {
  const servers = [metadata, ...agents].map(({ program: { name, pid }, address, http }) => {
    return { name, pid, address, metrics: metricsUrl(http) };
  });
  const wires = [{ name: line.program.name, pid: line.program.pid, address: line.address }];
  const clients = [writer, reader, ...(colleague === undefined ? [] : [colleague])].map(
    ({ program: { name, pid }, folder }) => ({ name, pid, folder }),
  );
  return [...servers, ...wires, ...clients];
}
