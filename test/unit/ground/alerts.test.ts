import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const repository = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

const rules = read('ops/prometheus/rules/drystone.rules.yml');
const ruleTests = read('ops/prometheus/tests/drystone.test.yml');
const captures = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name]) => name!);
const alerts = captures(rules, /- alert: (\w+)/g);

it('there are alerts, each under a name of its own', () => {
  expect(alerts.length).toBeGreaterThan(5);
  expect(new Set(alerts).size).toBe(alerts.length);
});

it('every alert is tested to be silent and to fire', () => {
  const expectations = [...ruleTests.matchAll(/alertname: (\w+)\n +eval_time: \w+\n +exp_alerts:( \[\])?/g)];
  const of = (silent: boolean): string[] =>
    [...new Set(expectations.filter(([, , none]) => (none !== undefined) === silent).map(([, name]) => name!))].sort();
  expect(of(true)).toEqual([...alerts].sort());
  expect(of(false)).toEqual([...alerts].sort());
});

it('every alert has its runbook, and every runbook its alert', () => {
  expect(captures(rules, /runbook: (.+)/g)).toEqual(alerts.map((name) => `docs/operations.md#${name.toLowerCase()}`));
  expect(captures(read('docs/operations.md'), /^### (Drystone\w+)$/gm).sort()).toEqual([...alerts].sort());
});
