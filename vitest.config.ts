import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

interface ProjectOptions {
  readonly timeoutMs: number;
  /** Whether each file gets a process of its own, which costs it what it takes to load the code. */
  readonly isolate: boolean;
  /** Where it does not run with the others: when, after those, in ascending order, and how many of its files at a time. */
  readonly apart?: { readonly order: number; readonly files: number };
}

/** The tests of one kind: every *.test.ts below test/NAME. Forks, because native addons do not like threads. */
const project = (name: string, { timeoutMs, isolate, apart }: ProjectOptions) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    isolate,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    sequence: { groupOrder: apart?.order ?? 0 },
    maxWorkers: apart?.files ?? availableParallelism(),
  },
});

/** Files that wait for a minute and more, for somebody's patience to end: they begin first, or all others would wait for them. */
const PATIENT = /security\/connections[.]test[.]ts$/;

class PatientFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isPatient = ({ moduleId }: TestSpecification): number => (PATIENT.test(moduleId) ? 1 : 0);
    return sorted.sort((a, b) => isPatient(b) - isPatient(a));
  }
}

const waiting = { order: 1, files: availableParallelism() + 1 };

export default defineConfig({
  test: {
    sequence: { sequencer: PatientFirst },
    projects: [
      // Tests of these kinds leave nothing behind in their process: no module is replaced, and what is set is put back.
      project('unit', { timeoutMs: 60_000, isolate: false }),
      project('contract', { timeoutMs: 60_000, isolate: false }),
      project('property', { timeoutMs: 60_000, isolate: false }),
      project('golden', { timeoutMs: 60_000, isolate: false }),
      project('simulation', { timeoutMs: 300_000, isolate: true }),
      // Much of their time is waiting: for lines that are down, for somebody's patience to end, for programs that start.
      project('security', { timeoutMs: 120_000, isolate: true, apart: waiting }),
      project('e2e', { timeoutMs: 300_000, isolate: false, apart: waiting }),
    ],
  },
});
