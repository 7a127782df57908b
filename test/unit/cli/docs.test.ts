import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../../cli/output/exit-codes.js';
import { NOTHING_DONE } from '../../../cli/output/sync-text.js';
import { environmentVariable } from '../../../cli/settings/resolve.js';
import { commonSettings, sections, type SectionName } from '../../../cli/settings/sections.js';
import { parseSettingsFile } from '../../../cli/settings/settings-file.js';
import { runCommand } from '../../support/client/command-line.js';

const page = (name: string): string => readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8');

describe('docs/configuration.md', () => {
  const text = page('configuration.md');
  const tables = [
    [undefined, commonSettings],
    ...(Object.keys(sections) as SectionName[]).map((name) => [name, sections[name]] as const),
  ] as const;
  const rows = [...text.matchAll(/^\| `([\w-]+)` +\| `(--[\w-]+)` +\| `(\w+)` +\|/gm)].map(
    ([, key, flag, variable]) => `${key} ${flag} ${variable}`,
  );

  it('lists every setting with its flag and its variable, and no other', () => {
    const expected = tables.flatMap(([section, table]) =>
      Object.keys(table).map((key) => `${key} --${key} ${environmentVariable(section, key)}`),
    );
    expect(rows.sort()).toEqual(expected.sort());
  });

  it('shows a settings file that is one', () => {
    const [, example] = /```toml\n([\s\S]*?)```/.exec(text)!;
    expect(parseSettingsFile('example', example!).sections.agent.get('free-floor')).toBe(20 * 1024 ** 3);
  });
});

describe('docs/cli.md', () => {
  const text = page('cli.md');
  const commands = [...text.matchAll(/^\| `drystone ([^`]+)` +\|/gm)].map(([, usage]) => usage!);

  it('lists commands and flags that there are', async () => {
    expect(commands).toHaveLength(27);
    for (const usage of commands) {
      const name = usage.replace(/ [^a-z].*/, '').split(' ');
      const { output: help } = await runCommand('/nowhere', [...name, '--help']);
      for (const [flag] of usage.matchAll(/--[\w-]+/g)) expect(help, usage).toContain(`  ${flag} `);
    }
  });

  it('lists every exit code, and no other', () => {
    const listed = [...text.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
    expect(listed).toEqual(Object.values(exitCodes));
  });

  it('names every field of a summary', () => {
    for (const field of Object.keys(NOTHING_DONE)) expect(text).toContain(`\`${field}\``);
  });
});
