import type { AccountName } from '../../common/ids.js';
import type { Account, Device, Member } from '../../proto/gen/drystone/metadata/v1/access.js';
import type { Agent, Namespace } from '../../proto/gen/drystone/metadata/v1/admin.js';
import type { FleetCalls } from './fleet-connection.js';

/** All agents, ordered by id. */
export function listAgents({ admin }: FleetCalls, signal: AbortSignal): Promise<Agent[]> {
  return allPages(async (page) => {
    const { agents: rows, nextPageToken } = await admin.listAgents(page, { signal });
    return { rows, nextPageToken };
  });
}

/** All namespaces that the caller may see, ordered by name. */
export function listNamespaces({ admin }: FleetCalls, signal: AbortSignal): Promise<Namespace[]> {
  return allPages(async (page) => {
    const { namespaces: rows, nextPageToken } = await admin.listNamespaces(page, { signal });
    return { rows, nextPageToken };
  });
}

/** All accounts, ordered by name. */
export function listAccounts({ access }: FleetCalls, signal: AbortSignal): Promise<Account[]> {
  return allPages(async (page) => {
    const { accounts: rows, nextPageToken } = await access.listAccounts(page, { signal });
    return { rows, nextPageToken };
  });
}

/** All devices, of one account or of all, ordered by id. */
export function listDevices(
  { access }: FleetCalls,
  account: AccountName | undefined,
  signal: AbortSignal,
): Promise<Device[]> {
  return allPages(async (page) => {
    const { devices: rows, nextPageToken } = await access.listDevices({ ...page, account: account ?? '' }, { signal });
    return { rows, nextPageToken };
  });
}

/** All members of a namespace, ordered by account. */
export function listMembers({ access }: FleetCalls, namespaceName: string, signal: AbortSignal): Promise<Member[]> {
  return allPages(async (page) => {
    const { members: rows, nextPageToken } = await access.listMembers({ ...page, namespaceName }, { signal });
    return { rows, nextPageToken };
  });
}

interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextPageToken: string;
}

interface PageRequest {
  /** 0: as many as the server likes. */
  readonly pageSize: number;
  readonly pageToken: string;
}

async function allPages<Row>(read: (request: PageRequest) => Promise<Page<Row>>): Promise<Row[]> {
  const all: Row[] = [];
  let pageToken = '';
  do {
    const page = await read({ pageSize: 0, pageToken });
    all.push(...page.rows);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return all;
}
