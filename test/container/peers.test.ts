import { expect } from 'vitest';
import { containerTest } from '../support/container/container-test.js';
import { untilAlike } from '../support/container/synced-folder.js';

const ENDPOINTS = 20;
const FILE_BYTES = 16_000_000;

containerTest(
  '20 endpoints of a site want a new file at once: its agent sends it less than twice',
  async ({ fleet }) => {
    const agent = await fleet.startAgent('berlin');
    await fleet.createNamespace('shared', 1);
    const writer = await fleet.startClient('lisbon', 'writer', 'shared', ['--no-peers']);
    const endpoints = [];
    for (let number = 1; number <= ENDPOINTS; number += 4) {
      const names = Array.from({ length: 4 }, (_, index) => `berlin-${number + index}`);
      endpoints.push(...(await Promise.all(names.map((name) => fleet.startClient('berlin', name, 'shared')))));
    }
    const before = await agent.bytesSent();
    await writer.shell(`head -c ${FILE_BYTES} /dev/urandom > new.bin`);
    await untilAlike([writer, ...endpoints], ['new.bin']);
    const sent = (await agent.bytesSent()) - before;
    expect(sent).toBeGreaterThanOrEqual(FILE_BYTES);
    expect(sent).toBeLessThan(2 * FILE_BYTES);
  },
);

containerTest('a peer that stops in mid-air costs its neighbours nothing but a moment', async ({ fleet }) => {
  await fleet.startAgent('berlin');
  await fleet.createNamespace('shared', 1);
  const ana = await fleet.startClient('berlin', 'ana', 'shared');
  await ana.shell(`head -c ${FILE_BYTES} /dev/urandom > first.bin`);
  const ben = await fleet.startClient('berlin', 'ben', 'shared');
  await untilAlike([ana, ben], ['first.bin']);
  await ana.shell(`head -c ${FILE_BYTES} /dev/urandom > second.bin`);
  await ana.program.pause();
  await ben.write('meanwhile.txt', 'ben goes on');
  const eva = await fleet.startClient('berlin', 'eva', 'shared');
  await untilAlike([ben, eva], ['first.bin', 'meanwhile.txt']);
  await ana.program.unpause();
  await untilAlike([ana, ben, eva], ['first.bin', 'second.bin', 'meanwhile.txt']);
});
