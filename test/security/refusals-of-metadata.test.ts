import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HeldIdentity } from '../../common/identity/held-identity.js';
import type { NamespaceId } from '../../common/ids.js';
import { MemberRole } from '../../proto/gen/drystone/metadata/v1/access.js';
import { sampleAgent } from '../support/metadata/samples.js';
import { FleetUnderAttack } from '../support/security/fleet-under-attack.js';
import { attemptAt, libraryAttempts, metadataAttempts } from '../support/security/metadata-attempts.js';
import { makeOddCaller, oddCallers, type HolderKind, type OddCaller } from '../support/security/odd-callers.js';
import { outcomeOf, readTable, type TableRow } from '../support/security/refusal-table.js';
import { servedPaths } from '../support/security/rpcs.js';

/**
 * What becomes of every RPC of the metadata service, for every kind of caller. Each cell is a real call, over TLS, to the
 * real service; test/support/security has what is sent, and the meaning of the words. The last five are devices: of no
 * member of the namespace, of a reader, an editor and an owner of it, and of an administrator who is no member.
 */
const table = readTable(`
| RPC                                               | nobody  | wrong CA | nameless | expired | not yet | not enrolled | revoked | agent | outsider | reader | editor | owner | administrator |
| AccessService/CreateAccount                       | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AccessService/SetAccountRole                      | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AccessService/ListAccounts                        | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AccessService/IssueAgentToken                     | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AccessService/IssueDeviceToken                    | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AccessService/IssueDeviceToken (own account)      | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | ok       | ok     | ok     | ok    | ok            |
| AccessService/ListDevices                         | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AccessService/ListDevices (own account)           | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | ok       | ok     | ok     | ok    | ok            |
| AccessService/RevokeDevice                        | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AccessService/RevokeDevice (own account)          | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | ok       | ok     | ok     | ok    | ok            |
| AccessService/RevokeAgent                         | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AccessService/ShareNamespace                      | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | role   | role   | ok    | ok            |
| AccessService/UnshareNamespace                    | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | role   | role   | ok    | ok            |
| AccessService/UnshareNamespace (own account)      | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | ok     | ok     | ok    | ok            |
| AccessService/ListMembers                         | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | ok     | ok     | ok    | ok            |
| AccessService/ListAuditEntries                    | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AccessService/ListAuditEntries (a namespace)      | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | role   | role   | ok    | ok            |
| AccountService/GetAssignments                     | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | ok       | ok     | ok     | ok    | ok            |
| AccountService/GetAssignments (a namespace)       | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | ok     | ok     | ok    | unknown       |
| AccountService/WatchAssignments                   | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | ok       | ok     | ok     | ok    | ok            |
| AccountService/WatchAssignments (a namespace)     | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | ok     | ok     | ok    | unknown       |
| AccountService/IssueAccessToken                   | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | ok     | ok     | ok    | unknown       |
| AdminService/CreateNamespace                      | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AdminService/GetNamespace                         | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | ok     | ok     | ok    | ok            |
| AdminService/ListNamespaces                       | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | ok       | ok     | ok     | ok    | ok            |
| AdminService/SetAssignment                        | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| AdminService/ListAgents                           | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | ok            |
| FeedService/Push                              | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | unknown | unknown  | role   | ok     | ok    | unknown       |
| EnrollmentService/Enroll                          | ok      | ok       | ok       | ok      | ok      | revoked      | revoked | ok    | ok       | ok     | ok     | ok    | ok            |
| EnrollmentService/RenewCertificate                | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | ok    | ok       | ok     | ok     | ok    | ok            |
| FeedService/ReadFeed                              | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | unknown | unknown  | ok     | ok     | ok    | unknown       |
| FeedService/Subscribe                             | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | unknown | unknown  | ok     | ok     | ok    | unknown       |
| FleetService/RegisterAgent                        | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | ok    | role     | role   | role   | role  | role          |
| FleetService/Heartbeat                            | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | ok    | role     | role   | role   | role  | role          |
| FleetService/Heartbeat (another agent)            | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | role     | role   | role   | role  | role          |
| LocatorService/Advertise                          | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | ok     | ok     | ok    | unknown       |
| LocatorService/Locate                             | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | ok     | ok     | ok    | unknown       |
| PresenceService/FindMissing                       | missing | invalid  | invalid  | expired | invalid | revoked      | revoked | role  | unknown  | role   | ok     | ok    | unknown       |
| grpc.health.v1.Health/Check                       | ok      | ok       | ok       | ok      | ok      | revoked      | revoked | ok    | ok       | ok     | ok     | ok    | ok            |
| grpc.health.v1.Health/Watch                       | ok      | ok       | ok       | ok      | ok      | revoked      | revoked | ok    | ok       | ok     | ok     | ok    | ok            |
| grpc.health.v1.Health/List                        | ok      | ok       | ok       | ok      | ok      | revoked      | revoked | ok    | ok       | ok     | ok     | ok    | ok            |
| grpc.reflection.v1.ServerReflection/ServerReflectionInfo      | missing | invalid | invalid | expired | invalid | revoked | revoked | ok | ok | ok | ok | ok | ok |
| grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo | missing | invalid | invalid | expired | invalid | revoked | revoked | ok | ok | ok | ok | ok | ok |
`);

const attempts = { ...metadataAttempts, ...libraryAttempts };
const members = {
  reader: MemberRole.READER,
  editor: MemberRole.EDITOR,
  owner: MemberRole.OWNER,
  other: MemberRole.OWNER,
};

let fleet: FleetUnderAttack;
let namespaceId: NamespaceId;
/** By column; where the column is for odd callers, by kind too. */
const callers = new Map<string, HeldIdentity | undefined>();

beforeAll(async () => {
  fleet = await FleetUnderAttack.start();
  for (const account of ['outsider', ...Object.keys(members)]) callers.set(account, (await fleet.device(account)).held);
  callers.set('administrator', fleet.metadata.administrator.held);
  namespaceId = await fleet.namespace('shared', members);
  const agent = sampleAgent('attacking');
  await fleet.metadata.register(agent);
  callers.set('agent', (await fleet.metadata.asAgent(agent)).held);
  for (const odd of oddCallers) {
    for (const kind of ['device', 'agent'] as const)
      callers.set(`${odd} ${kind}`, await makeOddCaller(fleet, odd, kind));
  }
});

afterAll(() => fleet.stop());

/** Of which kind an odd caller has to be, so that nothing but its oddness can be the reason of a refusal. */
function kindsFor({ name, expected }: TableRow): readonly HolderKind[] {
  if (name.startsWith('FleetService/')) return ['agent'];
  return expected.agent === 'role' ? ['device'] : ['device', 'agent'];
}

/** All who have no certificate come from one address here, whose rate is small: who is told to wait, waits. */
async function patiently(attempt: () => Promise<string>): Promise<string> {
  for (;;) {
    const outcome = await attempt();
    if (!outcome.includes('RATE_LIMITED')) return outcome;
    await sleep(250);
  }
}

it('every RPC that the service serves has a line, and every line an RPC', () => {
  const isOurs = (path: string): boolean => !path.startsWith('/drystone.block.');
  const served = servedPaths(isOurs).map((path) => path.replace(/^\/drystone\.[a-z]+\.v1\./, '').replace(/^\//, ''));
  const named = table.map(({ name }) => name.replace(/ \(.*\)$/, ''));
  expect([...new Set(named)].sort()).toEqual(served.sort());
  expect(table.map(({ name }) => name).sort()).toEqual(Object.keys(attempts).sort());
});

it.each(table)('$name', async ({ name, expected }) => {
  const outcomes: Record<string, string> = {};
  for (const column of Object.keys(expected)) {
    const isOdd = oddCallers.includes(column as OddCaller);
    const kinds = isOdd ? kindsFor({ name, expected }).map((kind) => `${column} ${kind}`) : [column];
    const found = new Set<string>();
    for (const caller of kinds) {
      const attempt = attemptAt(fleet, namespaceId, callers.get(caller));
      found.add(await patiently(() => outcomeOf(attempts[name]!(attempt))));
      attempt.channel.close();
    }
    outcomes[column] = [...found].join(' and ');
  }
  expect(outcomes).toEqual(expected);
});
