import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fleetTest } from '../support/fleet-test.js';
import type { Fleet } from '../support/fleet.js';
import { waitUntil } from '../support/wait-until.js';

const ops = join(import.meta.dirname, '../../ops/prometheus');

/** Runs promtool, which must be on the PATH, and fails with what it says. */
function promtool(args: readonly string[], input = ''): void {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error !== undefined) throw new Error('promtool is needed: install Prometheus', { cause: error });
  expect(status, `${stdout}${stderr}`).toBe(0);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The shipped configuration, scraping this fleet and doing so every second. */
function configurationFor(fleet: Fleet): string {
  const targets = ['127.0.0.1:9420', '127.0.0.1:9421', '127.0.0.1:9422'];
  const [metadata, ...agents] = [fleet.metadata, ...fleet.agents.map((agent) => agent.server)];
  const actual = [metadata, ...agents].map((server) => server.httpAddress);
  const shipped = readFileSync(join(ops, 'prometheus.yml'), 'utf8');
  return targets
    .reduce((text, target, index) => {
      expect(text).toContain(`'${target}'`);
      return text.replace(`'${target}'`, `'${actual[index]!}'`);
    }, shipped)
    .replaceAll('_interval: 15s', '_interval: 1s')
    .replace('rules/*.rules.yml', join(ops, 'rules/*.rules.yml'));
}

/** A real Prometheus with this configuration; ask it with the returned function. */
async function startPrometheus(dir: string, configuration: string) {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'prometheus.yml');
  writeFileSync(file, configuration);
  const address = `127.0.0.1:${await freePort()}`;
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${dir}/data`, `--web.listen-address=${address}`];
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://${address}/api/v1/${path}`);
    return ((await response.json()) as { data: unknown }).data;
  };
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  await waitUntil('Prometheus is ready', async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended:\n${log}`);
    return (await fetch(`http://${address}/-/ready`)).ok;
  });
  return { ask, stop };
}

interface RuleGroups {
  readonly groups: readonly { readonly rules: readonly { readonly health: string }[] }[];
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

it('promtool accepts the configuration and the rules', () => {
  promtool(['check', 'config', join(ops, 'prometheus.yml')]);
  promtool(['check', 'rules', join(ops, 'rules/drystone.rules.yml')]);
});

it('every alert fires when it should and only then', () => {
  promtool(['test', 'rules', join(ops, 'tests/drystone.test.yml')]);
});

fleetTest('a fleet’s metrics pass promtool’s checks', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  for (const server of [fleet.metadata, fleet.agents[0]!.server]) {
    const response = await fetch(`http://${server.httpAddress}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    promtool(['check', 'metrics'], await response.text());
  }
});

fleetTest('a real Prometheus scrapes a fleet with the shipped configuration', async ({ fleet }) => {
  await fleet.startAll('shared', 2);
  writeFileSync(join(fleet.folder('a'), 'hello.txt'), 'hello');
  expect((await fleet.syncOnce('a', 'shared')).code).toBe(0);

  const prometheus = await startPrometheus(join(fleet.dir, 'prometheus'), configurationFor(fleet));
  try {
    const query = async (expression: string): Promise<readonly Sample[]> => {
      const data = await prometheus.ask(`query?query=${encodeURIComponent(expression)}`);
      return (data as { result: readonly Sample[] }).result;
    };
    await waitUntil('all three targets are up', async () => (await query('up == 1')).length === 3);
    const jobs = (await query('up == 1')).map(({ metric }) => metric.job).sort();
    expect(jobs).toEqual(['drystone-agent', 'drystone-agent', 'drystone-metadata']);

    const [stored] = await query('sum(drystone_agent_put_blocks_total)');
    expect(Number(stored?.value[1])).toBeGreaterThan(0);
    await waitUntil('every alert has been evaluated', async () => {
      const { groups } = (await prometheus.ask('rules?type=alert')) as RuleGroups;
      const rules = groups.flatMap((group) => group.rules);
      return rules.length > 0 && rules.every(({ health }) => health === 'ok');
    });
    expect(await query('ALERTS{alertstate="firing"}')).toEqual([]);
  } finally {
    await prometheus.stop();
  }
});
