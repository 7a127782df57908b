import { defineConfig } from 'vitest/config';

/**
 * Tests against programs and data that npm does not bring: Prometheus and its promtool, the published FastCDC vectors.
 * `.ci/run` provides both; CONTRIBUTING.md says how to have them elsewhere. Where one is missing the test fails.
 */
export default defineConfig({
  test: {
    name: 'system',
    include: ['test/system/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
