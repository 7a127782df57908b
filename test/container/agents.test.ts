import { expect } from 'vitest';
import { containerTest } from '../support/container/container-test.js';
import { untilAlike } from '../support/container/synced-folder.js';

containerTest('an agent that is killed, and one that stops in mid-air, cost nobody a file', async ({ fleet }) => {
  const agent = await fleet.startAgent('lisbon');
  await fleet.createNamespace('shared', 1);
  const ana = await fleet.startClient('lisbon', 'ana', 'shared');
  const ben = await fleet.startClient('lisbon', 'ben', 'shared');

  await ana.shell('head -c 60000000 /dev/urandom > killed.bin');
  await agent.kill();
  await agent.startAgain();
  await untilAlike([ana, ben], ['killed.bin']);

  await ana.shell('head -c 60000000 /dev/urandom > paused.bin');
  await agent.pause();
  await ben.write('meanwhile.txt', 'written while the agent stood still');
  await agent.unpause();
  const listing = await untilAlike([ana, ben], ['killed.bin', 'paused.bin', 'meanwhile.txt']);
  expect(listing).not.toContain('conflicted copy');
});

containerTest(
  'an agent whose disk is full takes no more, and what is too much for it goes to another',
  async ({ fleet }) => {
    const small = await fleet.startAgent('lisbon', { diskSize: '48m' });
    await fleet.startAgent('berlin');
    await fleet.createNamespace('shared', 2);
    const ana = await fleet.startClient('lisbon', 'ana', 'shared');
    const eva = await fleet.startClient('berlin', 'eva', 'shared');
    await ana.shell('for n in 1 2 3 4 5 6; do head -c 15000000 /dev/urandom > $n.bin; done');
    await untilAlike([ana, eva], ['1.bin', '2.bin', '3.bin', '4.bin', '5.bin', '6.bin']);
    expect(Number(await small.shell('df --output=avail -B1 /home/drystone/agent | tail -1'))).toBeGreaterThan(0);
    expect((await small.drystone('--version')).code).toBe(0);
  },
);
