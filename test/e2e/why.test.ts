import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fleetTest } from '../support/fleet-test.js';
import { waitUntil } from '../support/wait-until.js';

fleetTest('why names the agent that is away, and later that the file is here', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  for (const name of ['a', 'b']) await fleet.syncOnce(name, 'shared');
  writeFileSync(join(a, 'new.txt'), 'by a');
  await fleet.syncOnce('a', 'shared');
  const why = async (): Promise<unknown> => (await fleet.run(['why', 'shared/new.txt', '--dir', b], 'b')).events[0];

  expect(await why()).toMatchObject({ blocker: 'not-syncing' });
  const [agent] = fleet.agents;
  await agent!.server.end('SIGKILL');
  // A metadata service that has just begun has heard of no agent.
  await fleet.metadata.restart('SIGTERM');
  const client = fleet.sync('b', 'shared');
  await waitUntil('the sync of b has heard of the file', async () => {
    return ((await why()) as { blocker: string } | undefined)?.blocker === 'agents-offline';
  });
  expect(await why()).toMatchObject({
    sentence: '1 of the 1 blocks of new.txt are at site-1 alone, whose agent is offline.',
  });
  await agent!.server.start();
  agent!.network.target = agent!.server.address;
  await client.event('that it is in sync', ({ event }) => event === 'synced');
  await waitUntil('the file is here', async () => ((await why()) as { blocker: string }).blocker === 'nothing');
});
