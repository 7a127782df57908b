import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openDevice } from '../../client/connection/device.js';
import { folderDifferences } from '../support/compare-trees.js';
import { DrystoneProcess } from '../support/drystone-process.js';
import { fleetTest } from '../support/fleet-test.js';
import { finish, type Fleet } from '../support/fleet.js';
import { ServedProcess } from '../support/served-process.js';
import { waitUntil } from '../support/wait-until.js';

const REFUSED = 3;

async function untilSynced(client: DrystoneProcess): Promise<void> {
  await client.event('that it is in sync', ({ event }) => event === 'synced');
}

async function share(fleet: Fleet, account: string, role: string): Promise<void> {
  expect(await fleet.run(['namespace', 'share', 'shared', account, '--role', role])).toMatchObject({ code: 0 });
}

fleetTest('a device that is revoked ends its sync at once and never comes back; others go on', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const [lost, kept] = [fleet.sync('lost', 'shared'), fleet.sync('kept', 'shared')];
  for (const client of [lost, kept]) await untilSynced(client);
  const { id } = await openDevice(fleet.homeOf('lost'));
  expect(await fleet.run(['device', 'revoke', id])).toMatchObject({ code: 0 });
  const revoked = { code: REFUSED, error: { code: 'UNAUTHENTICATED', reason: 'IDENTITY_REVOKED' } };
  expect(await finish(lost)).toMatchObject(revoked);
  await fleet.metadata.restart('SIGKILL');
  expect(await fleet.syncOnce('lost', 'shared')).toMatchObject(revoked);

  writeFileSync(join(fleet.folder('kept'), 'later.txt'), 'later');
  expect(await fleet.syncOnce('new', 'shared')).toMatchObject({ code: 0 });
  await waitUntil('the later file has arrived', async () => {
    await fleet.syncOnce('new', 'shared');
    return existsSync(join(fleet.folder('new'), 'later.txt'));
  });
  expect(existsSync(join(fleet.folder('lost'), 'later.txt'))).toBe(false);
});

fleetTest(
  'who is no longer a member stops receiving, and goes on when the namespace is shared again',
  async ({ fleet }) => {
    await fleet.startAll('shared', 1);
    await fleet.admit('ben');
    await share(fleet, 'ben', 'editor');
    const [a, ben] = [fleet.sync('a', 'shared'), fleet.sync('ben', 'shared')];
    for (const client of [a, ben]) await untilSynced(client);
    expect(await fleet.run(['namespace', 'unshare', 'shared', 'ben'])).toMatchObject({ code: 0 });
    const ended = await finish(ben);
    expect(ended).toMatchObject({ code: REFUSED, error: { reason: 'NAMESPACE_UNKNOWN' } });
    expect(ended.error!.message).toContain('or your account is not, or no longer, a member of it');

    writeFileSync(join(fleet.folder('a'), 'later.txt'), 'later');
    await waitUntil('the file is committed', async () => (await fleet.run(['cat', 'shared/later.txt'])).code === 0);
    expect(await fleet.syncOnce('ben', 'shared')).toMatchObject({ code: REFUSED });
    expect(existsSync(join(fleet.folder('ben'), 'later.txt'))).toBe(false);

    await share(fleet, 'ben', 'reader');
    expect(await fleet.syncOnce('ben', 'shared')).toMatchObject({ code: 0 });
    expect(folderDifferences(fleet.folder('a'), fleet.folder('ben'))).toEqual([]);
  },
);

fleetTest('an agent joins by a token on standard input, and needs none when it comes back', async ({ fleet }) => {
  await fleet.startMetadata();
  const data = join(fleet.dir, 'piped');
  const args = ['agent', 'serve', '--data', data, '--metadata', fleet.metadata.address, '--join-file', '-', '--json'];
  const addresses = ['--listen', '127.0.0.1:0', '--http', 'off'];
  for (const input of [`${await fleet.admissions.agentToken('lisbon')}\n`, '']) {
    const agent = new DrystoneProcess([...args, ...addresses], {}, input);
    await waitUntil('the agent is online', async () => {
      const [list] = (await fleet.run(['agent', 'list'])).events;
      const agents = list!.agents as { state: string; premises: string }[];
      return agents.some(({ state, premises }) => state === 'online' && premises === 'lisbon');
    });
    expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
  }
});

/** What no process may say, and what the process list may not show. */
function secretsOf(...tokens: readonly string[]): readonly string[] {
  return [...tokens.map((token) => token.split(':')[2]!.slice(0, 60)), 'PRIVATE KEY', 'eyJ'];
}

fleetTest('no secret is in what processes write, or among their arguments', async ({ fleet }) => {
  const debug = { DRYSTONE_LOG_LEVEL: 'debug' };
  const data = join(fleet.dir, 'talkative');
  const metadata = new ServedProcess((listen, http) => {
    return ['metadata', 'serve', '--data', data, '--listen', listen, '--http', http, '--json'];
  }, debug);
  const processes: DrystoneProcess[] = [];
  const run = async (args: readonly string[], environment: Record<string, string> = {}) => {
    const process = new DrystoneProcess([...args, '--json'], { ...debug, HOME: fleet.dir, ...environment });
    processes.push(process);
    return finish(process);
  };
  const { adminTokenFile } = await metadata.start();
  const adminToken = readFileSync(String(adminTokenFile), 'utf8').trim();
  const at = ['--metadata', metadata.address];
  expect(await run(['login', '--token-file', String(adminTokenFile), ...at])).toMatchObject({ code: 0 });
  const issued = await finish(
    new DrystoneProcess(['agent', 'token', '--premises', 'here', '--json'], { HOME: fleet.dir }),
  );
  const agentToken = String(issued.events[0]!.token);
  const agent = new ServedProcess(
    (listen, http) => [
      ...['agent', 'serve', '--data', join(fleet.dir, 'agent'), '--free-floor', '1MiB', '--json', ...at],
      ...['--listen', listen, '--http', http],
    ],
    { ...debug, DRYSTONE_AGENT_JOIN: agentToken },
  );
  await agent.start();
  await waitUntil('a namespace is made', async () => (await run(['namespace', 'create', 'shared'])).code === 0);
  writeFileSync(join(fleet.folder('a'), 'file'), 'text');
  expect(await run(['sync', fleet.folder('a'), '--namespace', 'shared', '--once'])).toMatchObject({ code: 0 });
  // Both tokens have been used: whoever shows one again is told so.
  expect(await run(['login', '--home', fleet.folder('again'), ...at], { DRYSTONE_TOKEN: adminToken })).toMatchObject({
    code: REFUSED,
  });
  const commandLines = [metadata, agent].map(({ process: { pid } }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  await agent.end('SIGTERM');
  await metadata.end('SIGTERM');

  processes.push(metadata.process, agent.process);
  const said = processes.map(({ log, events }) => `${log}\n${JSON.stringify(events)}`);
  expect(said.join('\n')).toContain('agent is serving');
  for (const secret of secretsOf(adminToken, agentToken)) {
    for (const text of [...said, ...commandLines]) expect(text).not.toContain(secret);
  }
});
