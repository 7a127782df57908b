import { defineConfig } from 'vitest/config';

interface ProjectOptions {
  readonly timeoutMs: number;
  /** Where it does not run with the others: when, after those, in ascending order, and how many of its files at a time. */
  readonly apart?: { readonly order: number; readonly files: number };
}

/** The tests of one kind: every *.test.ts below test/NAME. Forks, because native addons do not like threads. */
const project = (name: string, { timeoutMs, apart }: ProjectOptions) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    sequence: { groupOrder: apart?.order ?? 0 },
    ...(apart === undefined ? {} : { maxWorkers: apart.files }),
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', { timeoutMs: 20_000 }),
      project('contract', { timeoutMs: 30_000 }),
      project('property', { timeoutMs: 60_000 }),
      project('golden', { timeoutMs: 20_000 }),
      project('simulation', { timeoutMs: 300_000 }),
      project('security', { timeoutMs: 120_000, apart: { order: 1, files: 1 } }),
      // Much of their time is waiting for programs that start, and for lines that are down.
      project('e2e', { timeoutMs: 300_000, apart: { order: 2, files: 2 } }),
    ],
  },
});
