import { expect } from 'vitest';
import { containerTest } from '../support/container/container-test.js';
import { untilAlike } from '../support/container/synced-folder.js';

containerTest(
  'clients of a site that is cut off go on through their agent, and metadata hears of it after',
  async ({ fleet }) => {
    const agent = await fleet.startAgent('lisbon');
    await fleet.startAgent('berlin');
    await fleet.createNamespace('shared', 2);
    const ana = await fleet.startClient('lisbon', 'ana', 'shared', ['--no-peers']);
    const ben = await fleet.startClient('lisbon', 'ben', 'shared', ['--no-peers']);
    const eva = await fleet.startClient('berlin', 'eva', 'shared', ['--no-peers']);
    await ana.write('before.txt', 'before the cut');
    await untilAlike([ana, ben, eva], ['before.txt']);

    await fleet.sites.cut('lisbon');
    await ana.shell('head -c 4000000 /dev/urandom > during.bin');
    await untilAlike([ana, ben], ['during.bin']);
    await ben.write('answer.txt', 'seen');
    await untilAlike([ana, ben], ['during.bin', 'answer.txt']);
    expect(await eva.listing()).not.toContain('during.bin');
    // What the agent has taken it keeps, whatever happens to it.
    await agent.kill();
    await agent.startAgain();

    await fleet.sites.heal('lisbon');
    const listing = await untilAlike([ana, ben, eva], ['before.txt', 'during.bin', 'answer.txt']);
    expect(listing).not.toContain('conflicted copy');
    expect(JSON.stringify(await fleet.admin('audit'))).toContain('commit.provisional');
  },
);
