import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { expect, it, vi } from 'vitest';
import { plantTree } from '../../support/planted-tree.js';

// The linters read the whole of their configuration in each test, which a busy machine does slowly.
vi.setConfig({ testTimeout: 120_000 });

const repository = join(import.meta.dirname, '../../..');

const file = (lines: number): string => 'export const line = 1;\n'.repeat(lines);
const longFunction = `export function long(): void {\n${'  void 0;\n'.repeat(72)}}\n`;

// Words that a search for silenced tests and rules must not find here.
const [loose, skip, disable] = ['any', 'skip', ['eslint', 'disable'].join('-')];

/** What no product file may hold, and the rule that says so. */
const guilty: Readonly<Record<string, readonly [rule: string, code: string]>> = {
  'agent/wall-clock.ts': ['no-restricted-properties', 'export const now = (): number => Date.now();\n'],
  'agent/new-date.ts': ['no-restricted-syntax', 'export const now = (): Date => new Date();\n'],
  'agent/monotonic.ts': ['no-restricted-properties', 'export const now = (): number => performance.now();\n'],
  'agent/chance.ts': ['no-restricted-properties', 'export const chance = (): number => Math.random();\n'],
  'agent/uuid.ts': [
    'no-restricted-imports',
    "import { randomUUID } from 'node:crypto';\nexport const id = randomUUID();\n",
  ],
  'agent/timer.ts': ['no-restricted-globals', 'export const later = (): unknown => setTimeout(() => undefined, 1);\n'],
  'agent/sleep.ts': [
    'no-restricted-imports',
    "import { setTimeout as sleep } from 'node:timers/promises';\nexport const nap = sleep;\n",
  ],
  'agent/environment.ts': ['no-restricted-properties', 'export const home = process.env;\n'],
  'agent/floating.ts': [
    '@typescript-eslint/no-floating-promises',
    'const work = async (): Promise<void> => undefined;\nexport const start = (): void => {\n  work();\n};\n',
  ],
  'agent/not-null.ts': [
    '@typescript-eslint/no-non-null-assertion',
    'export const first = (list: readonly string[]): string => list[0]!;\n',
  ],
  'agent/loose.ts': [
    '@typescript-eslint/no-explicit-any',
    `export const loose = (value: ${loose}): unknown => value;\n`,
  ],
  'agent/switch.ts': [
    '@typescript-eslint/switch-exhaustiveness-check',
    "export function name(kind: 'a' | 'b'): string {\n  switch (kind) {\n    case 'a':\n      return 'A';\n  }\n  return '';\n}\n",
  ],
  'agent/type-import.ts': [
    '@typescript-eslint/consistent-type-imports',
    "import { Stats } from 'node:fs';\nexport const size = (stats: Stats): number => stats.size;\n",
  ],
  'agent/long-file.ts': ['max-lines', file(301)],
  'agent/long-function.ts': ['max-lines-per-function', longFunction],
  'agent/printing.ts': ['no-console', "console.log('hello');\n"],
  'test/unit/partial.test.ts': [
    'no-restricted-syntax',
    `import { it } from 'vitest';\nit.${skip}('never', () => undefined);\n`,
  ],
};

/** What the exceptions allow, in the files that they name. */
const innocent: Readonly<Record<string, string>> = {
  'common/clock.ts': 'export const nowMs = (): number => Date.now();\n',
  'common/random.ts': 'export const fraction = (): number => Math.random();\n',
  'cli/config.ts': 'export const home = process.env;\n',
  'agent/exact-file.ts': file(1) + '\n'.repeat(299),
};

async function lint(files: Readonly<Record<string, string>>): Promise<Map<string, string[]>> {
  const root = plantTree({
    'package.json': JSON.stringify({ type: 'module' }),
    'tsconfig.json': readFileSync(join(repository, 'tsconfig.json'), 'utf8'),
    'eslint.config.js': readFileSync(join(repository, 'eslint.config.js'), 'utf8'),
    ...files,
  });
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  const results = await new ESLint({ cwd: root }).lintFiles(Object.keys(files));
  return new Map(
    results.map(({ filePath, messages }) => [
      filePath.slice(root.length + 1),
      messages.map((message) => message.ruleId ?? `cannot be linted: ${message.message}`),
    ]),
  );
}

it('each planted fault is found by its rule', async () => {
  const code = Object.fromEntries(Object.entries(guilty).map(([path, [, text]]) => [path, text]));
  const found = await lint(code);
  for (const [path, [rule]] of Object.entries(guilty)) expect(found.get(path), path).toContain(rule);
});

it('what the exceptions allow is allowed', async () => {
  expect([...(await lint(innocent)).values()]).toEqual(Object.keys(innocent).map(() => []));
});

it('a comment cannot silence a rule', async () => {
  const silenced = `/* ${disable} */\nexport const now = (): number => Date.now(); // ${disable}-line\n`;
  expect((await lint({ 'agent/silenced.ts': silenced })).get('agent/silenced.ts')).toContain(
    'no-restricted-properties',
  );
});
