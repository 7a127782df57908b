import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { startAgent } from '../../../agent/program.js';
import { systemClock } from '../../../common/clock.js';
import { parsePremisesName } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import type { ProgramContext, RunningProgram } from '../../../common/program/context.js';
import { systemRandom } from '../../../common/random.js';
import { plaintextCredentials } from '../../../common/rpc/credentials.js';
import { startMetadata } from '../../../metadata/program.js';
import { plantTree } from '../../support/planted-tree.js';

const rulesFile = join(import.meta.dirname, '../../../ops/prometheus/rules/drystone.rules.yml');

/** A program's series, as it has them before anybody has called it. */
async function seriesAtStart(start: (context: ProgramContext) => Promise<RunningProgram>): Promise<string> {
  const registry = new Registry();
  const program = await start({
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger(),
    registry,
    credentials: plaintextCredentials(),
  });
  const series = await registry.metrics();
  await program.stop();
  return series;
}

it('every series that an alert goes by is there from the start, with the labels that the alert asks for', async () => {
  const dataDir = plantTree({});
  const listen = '127.0.0.1:0';
  const metadata = await seriesAtStart((context) =>
    startMetadata({ dataDir: join(dataDir, 'metadata'), engine: 'memory', listen, http: undefined }, context),
  );
  const agent = await seriesAtStart((context) =>
    startAgent(
      {
        dataDir: join(dataDir, 'agent'),
        metadata: '127.0.0.1:1',
        premises: parsePremisesName('premises', 'lisbon'),
        listen,
        advertise: undefined,
        http: undefined,
        freeFloorBytes: 1,
      },
      context,
    ),
  );
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
