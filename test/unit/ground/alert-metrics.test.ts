import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { startAgent } from '../../../agent/program.js';
import { systemClock } from '../../../common/clock.js';
import { silentLogger } from '../../../common/logging.js';
import { systemRandom } from '../../../common/random.js';
import { TestMetadata } from '../../support/metadata/service.js';
import { plantTree } from '../../support/planted-tree.js';

const rulesFile = join(import.meta.dirname, '../../../ops/prometheus/rules/drystone.rules.yml');

it('every series that an alert goes by is there from the start, with the labels that the alert asks for', async () => {
  const service = await TestMetadata.start();
  const { token } = await service.calls.access.issueAgentToken({ premises: 'lisbon', validSeconds: 0 });
  const registry = new Registry();
  const running = await startAgent(
    {
      dataDir: join(plantTree({}), 'agent'),
      metadata: service.program.address,
      join: token,
      premises: undefined,
      listen: '127.0.0.1:0',
      advertise: undefined,
      http: undefined,
      freeFloorBytes: 1,
    },
    { clock: systemClock, random: systemRandom, logger: silentLogger(), registry },
  );
  const [metadata, agent] = [await service.registry.metrics(), await registry.metrics()];
  await running.stop();
  await service.stop();
  const lines = `${metadata}\n${agent}`.split('\n').filter((line) => !line.startsWith('#'));

  const expressions = [...readFileSync(rulesFile, 'utf8').matchAll(/^ +expr: (.+)$/gm)].map(([, text]) => text!);
  const selectors = expressions.flatMap((text) => [...text.matchAll(/\b((?:drystone|grpc)_\w+)(?:\{([^}]*)\})?/g)]);
  expect(selectors.length).toBeGreaterThan(8);
  for (const [selector, name, matchers = ''] of selectors) {
    // Prometheus itself adds the job.
    const labels = [...matchers.matchAll(/(\w+)(=~?)"([^"]*)"/g)].filter(([, label]) => label !== 'job');
    const found = lines.filter((line) => line.startsWith(`${name!}{`) || line.startsWith(`${name!} `));
    expect(
      found.some((line) => labels.every(([, label, , value]) => new RegExp(`${label!}="(${value!})"`).test(line))),
      `${selector} among ${String(found.length)} series of that name`,
    ).toBe(true);
  }
});
