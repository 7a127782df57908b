import fc from 'fast-check';
import { expect, test } from 'vitest';
import { live } from '../../client/plan/difference.js';
import { everyPath, plan } from '../../client/plan/plan.js';
import type { ItemPath } from '../../common/feed/item.js';
import { isAtOrBelow, parentPath } from '../../common/feed/paths.js';
import type { DeviceId } from '../../common/ids.js';
import { SimulatedDevice, SimulatedNamespace, type Entry } from '../support/client/plan-world.js';
import { seededRandom } from '../support/seeded-random.js';

type Folder = Map<ItemPath, Entry>;

const paths = fc
  .array(fc.constantFrom('a', 'b', 'c.txt'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/') as ItemPath);
const kinds = fc.constantFrom('file', 'file', 'file', 'directory', 'symlink' as const);
const edits = fc.oneof(
  { weight: 4, arbitrary: fc.record({ edit: fc.constant('put' as const), path: paths, kind: kinds, nth: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ edit: fc.constant('remove' as const), path: paths }) },
  { weight: 1, arbitrary: fc.record({ edit: fc.constant('rename' as const), path: paths, to: paths }) },
  { weight: 1, arbitrary: fc.record({ edit: fc.constant('touch' as const), path: paths, atMs: fc.nat(5) }) },
);
type Edit = typeof edits extends fc.Arbitrary<infer T> ? T : never;

/** Does what a person would; edits that make no sense in this folder are passed over. */
function apply(folder: Folder, edit: Edit, author: string): void {
  const { path } = edit;
  const standing = folder.get(path);
  if (edit.edit === 'put') {
    if (standing?.kind === 'directory' && edit.kind !== 'directory') remove(folder, path);
    for (let above = parentPath(path); above !== undefined; above = parentPath(above)) {
      folder.set(above, { kind: 'directory' });
    }
    const text = edit.nth === 0 ? '' : `${author} wrote ${edit.nth}`;
    if (edit.kind === 'directory') folder.set(path, { kind: 'directory' });
    else if (edit.kind === 'symlink') folder.set(path, { kind: 'symlink', target: text || 'x' });
    else folder.set(path, { kind: 'file', text, modifiedAtMs: edit.nth, executable: edit.nth === 3 });
  } else if (edit.edit === 'remove') {
    remove(folder, path);
  } else if (edit.edit === 'touch') {
    if (standing?.kind === 'file') folder.set(path, { ...standing, modifiedAtMs: edit.atMs });
  } else if (standing !== undefined && !folder.has(edit.to) && !isAtOrBelow(edit.to, path)) {
    const above = parentPath(edit.to);
    if (above !== undefined && folder.get(above)?.kind !== 'directory') return;
    for (const [from, entry] of [...folder]) {
      if (!isAtOrBelow(from, path)) continue;
      folder.delete(from);
      folder.set((edit.to + from.slice(path.length)) as ItemPath, entry);
    }
  }
}

function remove(folder: Folder, path: ItemPath): void {
  for (const other of [...folder.keys()]) if (isAtOrBelow(other, path)) folder.delete(other);
}

function texts(folder: Folder): Set<string> {
  return new Set([...folder.values()].filter((entry) => entry.kind === 'file').map((entry) => entry.text));
}

function shown(folder: Folder): string[] {
  return [...folder].map(([path, entry]) => `${path} ${JSON.stringify(entry)}`).sort();
}

async function settle(devices: SimulatedDevice[], seed: number): Promise<void> {
  const random = seededRandom(seed);
  const always = { ...random, fraction: () => 1 };
  let quiet = 0;
  for (let round = 0; quiet < 3; round++) {
    expect(round, 'rounds until quiet').toBeLessThan(400);
    let operations = 0;
    for (const device of devices) {
      if (random.fraction() < 0.8) await device.scan();
      // Chance has had its say: from here on everything is delivered.
      await device.pull(round < 60 ? random : always);
      operations += await device.step(round < 60 ? random : always);
    }
    quiet = operations === 0 && round >= 60 ? quiet + 1 : 0;
  }
}

const devicesOf = (namespace: SimulatedNamespace): [SimulatedDevice, SimulatedDevice] => [
  new SimulatedDevice('a'.repeat(32) as DeviceId, namespace),
  new SimulatedDevice('b'.repeat(32) as DeviceId, namespace),
];

test('two folders that were equal and changed apart become equal again, and nothing written is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(edits, { maxLength: 12 }),
      fc.array(edits, { maxLength: 6 }),
      fc.array(edits, { maxLength: 6 }),
      fc.boolean(),
      fc.integer(),
      async (first, ours, theirs, forgets, seed) => {
        const namespace = new SimulatedNamespace();
        const [a, b] = devicesOf(namespace);
        for (const edit of first) apply(a.folder, edit, 'base');
        await settle([a, b], seed);
        expect(shown(b.folder)).toEqual(shown(a.folder));
        const base = texts(a.folder);

        for (const edit of ours) apply(a.folder, edit, 'a');
        for (const edit of theirs) apply(b.folder, edit, 'b');
        const written = new Set([...texts(a.folder), ...texts(b.folder)]);
        const kept = [...written].filter((text) => !base.has(text));
        if (forgets) b.forget();
        await settle([a, b], seed);

        expect(shown(a.folder)).toEqual(shown(b.folder));
        const held = [...namespace.items.values()].filter((item) => live(item) !== undefined).map((item) => item.path);
        expect(held.sort()).toEqual([...a.folder.keys()].sort());
        for (const text of kept) expect([...texts(a.folder)]).toContain(text);
        for (const device of [a, b]) {
          const rules = { device: device.id, nowMs: 0, leaveAlone: () => false };
          expect(plan(device.state, everyPath(device.state), rules)).toEqual({ operations: [], deferred: new Set() });
        }
      },
    ),
    { numRuns: 300 },
  );
});
