import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readTree } from '../support/compare-trees.js';
import { fleetTest } from '../support/fleet-test.js';

const FAILURE = 1;
/** No path that is handed to Linux may be longer. */
const PATH_MAX = 4096;

fleetTest(
  'a name that the file system of the target refuses is reported; everything else arrives',
  async ({ fleet }) => {
    await fleet.startAll('shared', 1);
    const a = fleet.folder('a');
    const deep = Array.from({ length: 15 }, (_, level) => `${level}`.padEnd(100, '-')).join('/');
    mkdirSync(join(a, deep), { recursive: true });
    writeFileSync(join(a, deep, 'bottom.txt'), 'deep');
    writeFileSync(join(a, 'top.txt'), 'shallow');
    expect(await fleet.syncOnce('a', 'shared')).toMatchObject({ code: 0 });

    // The folder itself lies so deep that what is deep within it is beyond what the system takes.
    const levels = Math.floor((PATH_MAX - 700 - fleet.dir.length) / 101);
    const b = Array.from({ length: levels }, () => 'b'.repeat(100)).join('/');
    const finished = await fleet.syncOnce(b, 'shared');
    expect(finished).toMatchObject({ code: FAILURE, summary: { conflicts: 0 } });
    expect(finished.summary!.problems).toBeGreaterThan(0);
    const problem = finished.events.find(({ event }) => event === 'problem');
    expect(problem!.name).toContain('-----');
    const arrived = readTree(fleet.folder(b));
    expect(arrived.get('top.txt')).toMatchObject({ kind: 'file' });

    // What could not be written here is not taken for deleted.
    expect(await fleet.syncOnce(b, 'shared')).toMatchObject({ code: FAILURE });
    expect(await fleet.syncOnce('a', 'shared')).toMatchObject({ code: 0, summary: { itemsApplied: 0 } });
  },
);

fleetTest('names that cannot be paths of a namespace are reported and left alone', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const a = fleet.folder('a');
  writeFileSync(join(a, 'fine.txt'), 'fine');
  writeFileSync(Buffer.concat([Buffer.from(`${a}/not utf-8 `), Buffer.from([0xff, 0xfe])]), 'bytes');
  writeFileSync(join(a, 'decomposed a\u0308.txt'), 'not NFC');
  const finished = await fleet.syncOnce('a', 'shared');
  const problems = finished.events.filter(({ event }) => event === 'problem').map(({ name }) => String(name));
  expect(problems.some((name) => name.includes('not utf-8'))).toBe(true);
  const listed = await fleet.run(['ls', 'shared']);
  expect((listed.events[0]!.items as { path: string }[]).map(({ path }) => path)).toContain('fine.txt');
});
