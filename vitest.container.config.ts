import { defineConfig } from 'vitest/config';

/**
 * Tests of the container image on a Docker Engine: whole sites on networks of their own, cut and mended. `.ci/run` starts an
 * engine, makes the base image and builds the one under test; CONTRIBUTING.md says how to have them elsewhere.
 */
export default defineConfig({
  test: {
    name: 'container',
    include: ['test/container/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 300_000,
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
  },
});
