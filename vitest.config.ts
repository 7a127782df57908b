import { defineConfig } from 'vitest/config';

interface ProjectOptions {
  readonly timeoutMs: number;
  /** Whether its files run one at a time, and when: after all that are not, in ascending order. They fill the machine. */
  readonly alone?: number;
}

/** The tests of one kind: every *.test.ts below test/NAME. Forks, because native addons do not like threads. */
const project = (name: string, { timeoutMs, alone = 0 }: ProjectOptions) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    sequence: { groupOrder: alone },
    ...(alone > 0 ? { maxWorkers: 1 } : {}),
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', { timeoutMs: 20_000 }),
      project('contract', { timeoutMs: 30_000 }),
      project('property', { timeoutMs: 60_000 }),
      project('golden', { timeoutMs: 20_000 }),
      project('security', { timeoutMs: 120_000, alone: 1 }),
      project('e2e', { timeoutMs: 300_000, alone: 2 }),
    ],
  },
});
