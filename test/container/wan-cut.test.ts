import { expect } from 'vitest';
import { containerTest } from '../support/container/container-test.js';
import { untilAlike } from '../support/container/synced-folder.js';

containerTest('a site whose line is cut goes on working, and nothing is lost when it is mended', async ({ fleet }) => {
  await fleet.startAgent('lisbon');
  await fleet.startAgent('berlin');
  await fleet.createNamespace('shared', 2);
  const ana = await fleet.startClient('lisbon', 'ana', 'shared');
  const ben = await fleet.startClient('lisbon', 'ben', 'shared');
  const eva = await fleet.startClient('berlin', 'eva', 'shared');
  await ana.write('plan.txt', 'the plan');
  await ana.shell('head -c 5000000 /dev/urandom > large.bin && mkdir notes && echo one > notes/one.txt');
  await untilAlike([ana, ben, eva], ['plan.txt', 'large.bin', 'notes/one.txt']);

  await fleet.sites.cut('lisbon');
  await ana.write('plan.txt', 'the plan of lisbon');
  await ben.write('from ben.txt', 'written during the cut');
  await ben.shell('mv notes remarks');
  await eva.write('plan.txt', 'the plan of berlin');
  await eva.shell('head -c 3000000 /dev/urandom > berlin.bin');

  await fleet.sites.heal('lisbon');
  const listing = await untilAlike(
    [ana, ben, eva],
    ['from ben.txt', 'berlin.bin', 'remarks/one.txt', 'conflicted copy'],
  );
  expect(listing).not.toContain('notes/one.txt');
  const copies = listing.split('\n').filter((line) => line.includes('conflicted copy'));
  expect(copies).toHaveLength(1);
  const texts = await eva.shell("cat plan*.txt | sed 's/the/\\nthe/g' | sort");
  expect(texts).toContain('the plan of lisbon');
  expect(texts).toContain('the plan of berlin');
});
