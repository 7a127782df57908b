import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { DrystoneProcess } from '../support/drystone-process.js';
import { fleetTest } from '../support/fleet-test.js';

/** Nothing listens on the discard port. */
const NOWHERE = '127.0.0.1:9';

const signals = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

fleetTest.for(signals)(
  '%s ends a sync that waits: well where it watches, with %i where it was to finish',
  async ([signal, code], { fleet }) => {
    await fleet.startMetadata();
    const args = ['--namespace', 'shared', '--metadata', NOWHERE, '--home', fleet.homeOf('a'), '--json'];
    for (const [mode, expected] of [
      [[], 0],
      [['--once'], code],
    ] as const) {
      const client = new DrystoneProcess(['sync', fleet.folder('a'), ...args, ...mode]);
      await client.event('that it waits', ({ event }) => event === 'waiting');
      expect(await client.end(signal), client.log).toEqual({ code: expected, signal: null });
    }
  },
);

fleetTest.for(signals)('%s drains a server, which says so and ends well', async ([signal], { fleet }) => {
  await fleet.startMetadata();
  const server = fleet.metadata.process;
  expect(await server.end(signal), server.log).toEqual({ code: 0, signal: null });
  expect(server.events.map(({ event }) => event)).toEqual(['listening', 'draining', 'stopped']);
});

fleetTest.for(signals)('a second %s ends a command where it stands, with %i', async ([signal, code]) => {
  const module = fileURLToPath(new URL('../../dist/cli/signals.js', import.meta.url));
  const script = `
    const { listenForEnd } = await import(${JSON.stringify(module)});
    listenForEnd().signal.addEventListener('abort', () => console.log('asked'));
    setInterval(() => {}, 1000);
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const expected of ['ready', 'asked']) {
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    expect(said.toString()).toBe(`${expected}\n`);
    child.kill(signal);
  }
  expect(await once(child, 'exit')).toEqual([code, null]);
});
