import fc from 'fast-check';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../common/clock.js';
import { TreeScanner } from '../../client/observe/scan-tree.js';
import type { ScanResult } from '../../client/observe/observation.js';
import { scratchFolder } from '../support/observe/scratch-folder.js';

/** Few names, so that edits meet: among them two of one normal form, two of one lower case, and the ignore file. */
const name = fc.constantFrom('a', 'b', 'B', 'caf\u00E9', 'cafe\u0301', '.drystoneignore');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));

type Edit =
  | { readonly kind: 'write'; readonly path: string; readonly content: string }
  | { readonly kind: 'directory' | 'remove'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string };

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), path, content: fc.constantFrom('', 'a\n', 'b/\n!a\n', 'caf*') }),
  fc.record({ kind: fc.constantFrom('directory' as const, 'remove' as const), path }),
  fc.record({ kind: fc.constant('rename' as const), path, to: path }),
);

/** Does an edit if the tree as it is allows it; says which paths a perfect watcher would name. */
function apply(root: string, change: Edit): string[] {
  const file = join(root, change.path);
  try {
    switch (change.kind) {
      case 'write':
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, change.content);
        return [change.path];
      case 'directory':
        mkdirSync(file, { recursive: true });
        return [change.path];
      case 'remove':
        rmSync(file, { recursive: true, force: true });
        return [change.path];
      case 'rename':
        mkdirSync(dirname(join(root, change.to)), { recursive: true });
        renameSync(file, join(root, change.to));
        return [change.path, change.to];
    }
  } catch {
    // What was refused may have been begun: the directories above are there now.
    return 'to' in change ? [change.path, change.to] : [change.path];
  }
}

/** A result as plain data, its order included. */
function plain(result: ScanResult): unknown {
  return {
    observations: [...result.observations],
    unseen: [...result.unseen],
    diskPaths: [...result.diskPaths],
    problems: result.problems,
  };
}

test('looking again where something changed shows what looking at everything shows', async () => {
  const folder = scratchFolder();
  const signal = new AbortController().signal;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(edit, { maxLength: 4 }), { minLength: 1, maxLength: 6 }), async (rounds) => {
      const root = mkdtempSync(join(folder, 'root-'));
      const scanner = new TreeScanner(root, systemClock);
      await scanner.scanAll(signal);
      for (const edits of rounds) {
        const changed = edits.flatMap((change) => apply(root, change));
        const again = await scanner.scanPaths(changed, signal);
        const everything = await new TreeScanner(root, systemClock).scanAll(signal);
        expect(plain(again)).toEqual(plain(everything));
      }
      rmSync(root, { recursive: true });
    }),
    { numRuns: 150 },
  );
});
