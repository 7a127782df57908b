import { DrystoneError } from '../../common/errors.js';
import { openChannel } from '../../common/rpc/client.js';
import { plaintextCredentials } from '../../common/rpc/credentials.js';
import type { ServiceCaller } from '../../common/rpc/method-types.js';
import { AdminServiceService, type Agent, type Namespace } from '../../proto/gen/drystone/metadata/v1/admin.js';

/** What an administrator asks of the metadata service. */
export type AdminClient = ServiceCaller<AdminServiceService>;

/** Calls `use` with a connection to the metadata service at `address`, and closes it. */
export async function withAdmin<T>(address: string, use: (admin: AdminClient) => Promise<T>): Promise<T> {
  const channel = openChannel(address, plaintextCredentials().channel);
  try {
    return await use(channel.service(AdminServiceService));
  } catch (thrown) {
    throw explainUnreachable(address, thrown);
  } finally {
    channel.close();
  }
}

/** An error that says what to do where no metadata service answers at `address`; any other error as it is. */
export function explainUnreachable(address: string, thrown: unknown): unknown {
  if (!(thrown instanceof DrystoneError) || thrown.code !== 'UNAVAILABLE' || thrown.reason !== 'TRANSPORT') {
    return thrown;
  }
  // It may as well have been an agent that does not answer.
  if (!thrown.message.includes(address)) return thrown;
  const message =
    `no metadata service answers at ${address}; start one with 'drystone metadata serve', ` +
    'or say where it is with --metadata';
  return new DrystoneError('UNAVAILABLE', 'TRANSPORT', message, thrown.details, { cause: thrown });
}

/** All agents, ordered by id. */
export async function listAgents(admin: AdminClient, signal: AbortSignal): Promise<Agent[]> {
  return allPages(async (pageToken) => {
    const { agents, nextPageToken } = await admin.listAgents({ pageSize: 0, pageToken }, { signal });
    return { rows: agents, nextPageToken };
  });
}

/** All namespaces, ordered by name. */
export async function listNamespaces(admin: AdminClient, signal: AbortSignal): Promise<Namespace[]> {
  return allPages(async (pageToken) => {
    const { namespaces, nextPageToken } = await admin.listNamespaces({ pageSize: 0, pageToken }, { signal });
    return { rows: namespaces, nextPageToken };
  });
}

interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextPageToken: string;
}

async function allPages<Row>(read: (pageToken: string) => Promise<Page<Row>>): Promise<Row[]> {
  const all: Row[] = [];
  let pageToken = '';
  do {
    const page = await read(pageToken);
    all.push(...page.rows);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return all;
}
