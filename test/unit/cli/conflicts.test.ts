import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand, type Ran } from '../../support/client/command-line.js';
import { folderOf } from '../../support/client/folder.js';
import { InProcessFleet } from '../../support/client/in-process-fleet.js';
import { writeAfter } from '../../support/write-after.js';

const FILE = 'notes.txt';

/** Two folders, `a` and `b`, that have changed one file at the same time, and have been synced since. */
async function disputed(): Promise<{ fleet: InProcessFleet; a: string; b: string; copy: string }> {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  for (const name of ['a', 'b']) await fleet.syncOnce(name);
  writeFileSync(join(a, FILE), 'as a has it');
  writeAfter(join(a, FILE), join(b, FILE), 'as b has it');
  for (const name of ['a', 'b', 'a']) await fleet.syncOnce(name);
  const copy = readdirSync(a).find((name) => name.includes('conflicted'))!;
  return { fleet, a, b, copy };
}

async function run(fleet: InProcessFleet, ...args: string[]): Promise<Ran> {
  const home = await fleet.homeOf('a');
  return runCommand(home, [...args, '--home', home, '--metadata', fleet.metadata.address]);
}

test('conflicts are listed as the folder knows them, and as metadata does, with whose they are', async () => {
  const { fleet, a, copy } = await disputed();
  const inFolder = await run(fleet, 'conflicts', a, '--json');
  const { folder, conflicts } = JSON.parse(inFolder.output) as { folder: string; conflicts: unknown[] };
  expect(folder).toBe(a);
  expect(conflicts).toEqual([
    {
      path: FILE,
      copy,
      account: 'people',
      deviceName: expect.any(String) as string,
      deviceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      changedAtMs: expect.any(Number) as number,
      sizeBytes: 'as a has it'.length,
    },
  ]);
  const atMetadata = await run(fleet, 'conflicts', 'docs', '--json');
  expect(JSON.parse(atMetadata.output)).toEqual({ namespace: 'docs', conflicts });
  const { output } = await run(fleet, 'conflicts', a);
  expect(output).toContain(copy);
  expect(output).toMatch(/1 open conflict; end one with 'drystone conflicts resolve/);
  const status = await run(fleet, 'status', '--dir', a, '--json');
  expect(JSON.parse(status.output)).toMatchObject({ folder: { root: a, namespace: 'docs', conflicts: 1 } });
  expect((await run(fleet, 'status', '--dir', a)).output).toContain(`; 1 OPEN CONFLICT, see 'drystone conflicts ${a}'`);
});

test('who cannot ask metadata is told what the folder knows', async () => {
  const { fleet, a, copy } = await disputed();
  const { code, output } = await runCommand('/nowhere', ['conflicts', a, '--home', '/nowhere', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({ conflicts: [{ path: FILE, copy }] });
  expect(fleet.agents).toHaveLength(1);
});

test('what is resolved in a folder is resolved everywhere by the next sync', async () => {
  const { fleet, a, b, copy } = await disputed();
  const resolved = await run(fleet, 'conflicts', 'resolve', join(a, copy), '--keep', 'theirs');
  expect(resolved).toMatchObject({ code: 0, output: `${copy} has taken the place of ${FILE}\n` });
  for (const name of ['a', 'b']) expect((await fleet.syncOnce(name)).conflicts).toBe(0);
  expect(folderOf(b)).toEqual(folderOf(a));
  expect(Object.values(folderOf(b))).toEqual([expect.stringContaining('as a has it')]);
  expect((await run(fleet, 'conflicts', b)).output).toBe('There is no open conflict.\n');
});

test('both is no conflict any more, anywhere', async () => {
  const { fleet, a, b, copy } = await disputed();
  const resolved = await run(fleet, 'conflicts', 'resolve', join(a, FILE), '--keep', 'both', '--json');
  expect(JSON.parse(resolved.output)).toEqual({
    resolved: [{ path: FILE, copy, keep: 'both', keptAs: 'notes (2).txt' }],
  });
  for (const name of ['a', 'b']) await fleet.syncOnce(name);
  expect(Object.keys(folderOf(b))).toEqual(['notes (2).txt', FILE]);
  expect((await run(fleet, 'conflicts', 'docs')).output).toBe('There is no open conflict.\n');
});

test('what was changed in the meantime is left alone, and so said', async () => {
  const { fleet, a, copy } = await disputed();
  writeFileSync(join(a, copy), 'a goes on here');
  const refused = await run(fleet, 'conflicts', 'resolve', join(a, copy), '--keep', 'mine');
  expect(refused).toMatchObject({ code: 3, errors: expect.stringContaining('not in the namespace yet') as string });
  expect(folderOf(a)).toHaveProperty([copy]);
});

test.each([
  [['conflicts', 'resolve', 'x', '--keep', 'ours'], 2],
  [['conflicts', 'resolve', 'x'], 2],
  [['conflicts', 'resolve', '/nowhere/x', '--keep', 'mine'], 3],
  [['conflicts', '/nowhere/x'], 2],
])('%j ends with %i', async (args, code) => {
  expect(await runCommand('/nowhere', args)).toMatchObject({ code, output: '' });
});
