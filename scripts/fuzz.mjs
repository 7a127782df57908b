// Fuzzes every RPC of both servers for as long as asked: npm run fuzz -- --minutes N [--seed S]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');
const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'security', 'test/security/fuzz.test.ts'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    DRYSTONE_FUZZ_SECONDS: String(minutes * 60),
    ...(values.seed === undefined ? {} : { DRYSTONE_FUZZ_SEED: values.seed }),
  },
});
process.exitCode = status ?? 1;
