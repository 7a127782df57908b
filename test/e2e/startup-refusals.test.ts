import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { DrystoneProcess } from '../support/drystone-process.js';
import { fleetTest } from '../support/fleet-test.js';
import { finish, type Finished } from '../support/fleet.js';

const REFUSED = 3;

function run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Finished> {
  return finish(new DrystoneProcess([...args, '--json'], environment));
}

fleetTest('a port in use is refused with the address and what to do', async ({ fleet }) => {
  await fleet.startMetadata();
  const { address, httpAddress } = fleet.metadata;
  const free = '127.0.0.1:0';
  const attempts = [
    ['metadata', 'serve', '--data', join(fleet.dir, 'other'), '--listen', address, '--http', free],
    ['metadata', 'serve', '--data', join(fleet.dir, 'other'), '--listen', free, '--http', httpAddress],
    [
      ...['agent', 'serve', '--data', join(fleet.dir, 'agent'), '--metadata', address],
      ...['--listen', address, '--http', free],
    ],
  ];
  const environment = { DRYSTONE_AGENT_JOIN: await fleet.admissions.agentToken('here') };
  for (const args of attempts) {
    const finished = await run(args, environment);
    expect(finished).toMatchObject({ code: REFUSED, error: { reason: 'PORT_IN_USE' } });
    expect(finished.error!.message).toMatch(/another program uses it; .*choose another/);
  }
});

fleetTest('a data directory of a newer format is refused and left as it is', async ({ fleet }) => {
  const programs = {
    metadata: ['metadata', 'serve', '--listen', '127.0.0.1:0', '--http', 'off'],
    agent: ['agent', 'serve', '--listen', '127.0.0.1:0', '--http', 'off'],
  };
  for (const [program, args] of Object.entries(programs)) {
    const data = fleet.folder(`${program} of the future`);
    writeFileSync(join(data, 'FORMAT'), `drystone ${program} 99\n`);
    const finished = await run([...args, '--data', data]);
    expect(finished).toMatchObject({ code: REFUSED, error: { reason: 'DATA_FORMAT_NEWER' } });
    expect(readFileSync(join(data, 'FORMAT'), 'utf8')).toBe(`drystone ${program} 99\n`);
  }
});

fleetTest('an agent that has never joined and has no token is refused, and told how to get one', async ({ fleet }) => {
  const args = ['agent', 'serve', '--data', join(fleet.dir, 'agent'), '--listen', '127.0.0.1:0', '--http', 'off'];
  const finished = await run(args);
  expect(finished).toMatchObject({ code: REFUSED, error: { reason: 'IDENTITY_MISSING' } });
  expect(finished.error!.message).toContain('drystone agent token --premises NAME');
});

fleetTest('a folder whose state a newer client wrote is refused and left as it is', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const state = join(fleet.folder('a'), '.drystone');
  mkdirSync(state);
  writeFileSync(join(state, 'FORMAT'), 'drystone client 99\n');
  const finished = await fleet.syncOnce('a', 'shared');
  expect(finished).toMatchObject({ code: REFUSED, error: { reason: 'DATA_FORMAT_NEWER' } });
  expect(readFileSync(join(state, 'FORMAT'), 'utf8')).toBe('drystone client 99\n');
});

fleetTest('a second program on the same data directory is refused', async ({ fleet }) => {
  await fleet.startMetadata();
  const args = ['--data', join(fleet.dir, 'metadata'), '--listen', '127.0.0.1:0', '--http', 'off'];
  const finished = await run(['metadata', 'serve', ...args]);
  expect(finished).toMatchObject({ code: REFUSED, error: { reason: 'DATA_DIRECTORY_BUSY' } });
  expect(finished.error!.message).toContain(String(fleet.metadata.process.pid));
});

fleetTest('a second client on the same folder is refused, and the first goes on', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const first = fleet.sync('a', 'shared');
  await first.event('that it is in sync', ({ event }) => event === 'synced');
  const second = await fleet.syncOnce('a', 'shared');
  expect(second).toMatchObject({ code: REFUSED, error: { reason: 'FOLDER_BUSY' } });
  expect(second.error!.message).toContain(String(first.pid));

  writeFileSync(join(fleet.folder('a'), 'later.txt'), 'later');
  await first.event('that the later file is committed', ({ event, summary }) => {
    return event === 'synced' && (summary as { itemsCommitted: number }).itemsCommitted === 1;
  });
  expect(await first.end('SIGTERM')).toEqual({ code: 0, signal: null });
});
