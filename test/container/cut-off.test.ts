import { expect } from 'vitest';
import type { ContainerFleet } from '../support/container/container-fleet.js';
import { containerTest } from '../support/container/container-test.js';
import { untilAlike, untilSeen, type SyncedFolder } from '../support/container/synced-folder.js';

/** What a client says of itself that reaches neither metadata nor an agent, and hears of others by themselves. */
const CUT_OFF = 'peers';

const BEFORE = ['plan.txt', 'minutes.txt', 'draft.txt', 'old.txt', 'notes/one.txt', 'notes/two.txt', 'large.bin'];
const AFTER = [
  ...['by ana.bin', 'by ben.txt', 'by eva.txt', 'draft.txt', 'final.txt', 'large.bin', 'minutes.txt'],
  ...['notes/one.txt', 'remarks/one.txt', 'remarks/two.txt'],
];
const TEXTS = [
  ...['the plan of ana', 'the plan of ben', 'the minutes of ben', 'the draft of ben', 'and ana', 'and ben'],
  ...['written by ben', 'written by eva'],
];

async function startSites(fleet: ContainerFleet) {
  const agent = await fleet.startAgent('lisbon');
  await fleet.startAgent('berlin');
  await fleet.createNamespace('shared', 2);
  const ana = await fleet.startClient('lisbon', 'ana', 'shared');
  const ben = await fleet.startClient('lisbon', 'ben', 'shared');
  const eva = await fleet.startClient('berlin', 'eva', 'shared');
  await ana.shell('for name in plan minutes draft old; do echo $name > $name.txt; done');
  await ana.shell('mkdir notes && echo one > notes/one.txt && echo two > notes/two.txt');
  await ana.shell('head -c 3000000 /dev/urandom > large.bin');
  await untilAlike([ana, ben, eva], BEFORE);
  return { agent, ana, ben, eva };
}

/** Waits until a client says that it reaches neither metadata nor an agent. */
async function untilCutOff(client: SyncedFolder): Promise<void> {
  await untilSeen('it knows that it is cut off', async () => {
    const { folder, metadata } = await client.status();
    return folder?.mode === CUT_OFF && !metadata.reachable;
  });
}

/** What two people do to a folder that both have, at once: neither has seen what the other does. */
async function editAtOnce(ana: SyncedFolder, ben: SyncedFolder): Promise<void> {
  for (const { program } of [ana, ben]) await program.suspend();
  await ana.write('plan.txt', 'the plan of ana');
  await ben.write('plan.txt', 'the plan of ben');
  await ana.shell('rm minutes.txt old.txt && mv draft.txt final.txt && echo "and ana" >> notes/one.txt');
  await ben.shell('rm old.txt && mv notes remarks && echo "and ben" >> remarks/two.txt');
  await ben.write('minutes.txt', 'the minutes of ben');
  await ben.write('draft.txt', 'the draft of ben');
  for (const { program } of [ana, ben]) await program.resume();
}

/** What travels between clients that are cut off together: all that their people make, but for what is a conflict, which waits. */
async function expectMeanwhile(ana: SyncedFolder, ben: SyncedFolder, eva: SyncedFolder): Promise<void> {
  const made = AFTER.filter((name) => name !== 'by eva.txt');
  const listing = await untilSeen('all but the conflict is alike', async () => {
    const [anas, bens] = [await withoutPlan(ana), await withoutPlan(ben)];
    return anas === bens && made.every((name) => anas.includes(name)) && anas;
  });
  expect(listing).not.toContain('by eva.txt');
  expect(listing).not.toContain('conflicted copy');
  expect([await ana.read('plan.txt'), await ben.read('plan.txt')]).toEqual(['the plan of ana', 'the plan of ben']);
  expect(await eva.listing()).not.toContain('by ana.bin');
}

async function withoutPlan(folder: SyncedFolder): Promise<string> {
  const lines = (await folder.listing()).split('\n');
  return lines.filter((line) => !line.endsWith(' plan.txt')).join('\n');
}

/** Waits until a client says that nothing waits, here or to be told, and that nothing is in the way of a file. */
async function untilNothingWaits(client: SyncedFolder): Promise<void> {
  await untilSeen('nothing waits', async () => {
    const { folder } = await client.status();
    return folder?.mode === 'online' && folder.itemsProvisional === 0 && folder.behind === 0;
  });
  expect(await client.why('minutes.txt')).toMatchObject({ blocker: 'nothing' });
  expect(await client.why('plan.txt')).toMatchObject({ blocker: 'conflicted-copy' });
}

containerTest(
  'a site that has lost its line and its agent works on, and everything is everywhere after',
  async ({ fleet }) => {
    const { agent, ana, ben, eva } = await startSites(fleet);

    await fleet.sites.cut('lisbon');
    await agent.kill();
    for (const client of [ana, ben]) await untilCutOff(client);
    await editAtOnce(ana, ben);
    await ana.shell('head -c 2000000 /dev/urandom > "by ana.bin"');
    await ben.write('by ben.txt', 'written by ben');
    await eva.write('by eva.txt', 'written by eva');
    await expectMeanwhile(ana, ben, eva);

    await agent.startAgain();
    await fleet.sites.heal('lisbon');
    await untilAlike([ana, ben, eva], [...AFTER, 'conflicted copy']);
    for (const client of [ana, ben, eva]) await untilNothingWaits(client);
    const names = (await untilAlike([ana, ben, eva], AFTER))
      .trim()
      .split('\n')
      .map((line) => line.slice(66));
    const [copy, ...others] = names.filter((name) => !AFTER.includes(name));
    expect(copy).toMatch(/^plan \(conflicted copy, .+\)\.txt$/);
    expect(others).toEqual(['plan.txt']);
    const text = await eva.shell('cat *.txt */*.txt');
    for (const written of TEXTS) expect(text.split(written), written).toHaveLength(2);
  },
);
