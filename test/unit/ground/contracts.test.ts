import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { plantTree } from '../../support/planted-tree.js';

// A program of its own is started several times, which a busy machine does slowly.
vi.setConfig({ testTimeout: 60_000 });

const repository = join(import.meta.dirname, '../../..');
const feedContract = 'proto/drystone/feed/v1/feed.proto';

/** What `buf breaking` says of the contracts when `change` has been made to the feed's. */
function breakingChanges(change: (contract: string) => string): string {
  const root = plantTree({ 'buf.yaml': readFileSync(join(repository, 'buf.yaml'), 'utf8') });
  cpSync(join(repository, 'proto'), join(root, 'proto'), { recursive: true });
  const contract = join(root, feedContract);
  const before = readFileSync(contract, 'utf8');
  const after = change(before);
  writeFileSync(contract, after);
  const buf = join(repository, 'node_modules/.bin/buf');
  const { stdout, stderr } = spawnSync(buf, ['breaking', '--against', join(root, 'proto/baseline.binpb')], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout;
}

it('a new field breaks nothing', () => {
  const found = breakingChanges((contract) =>
    contract.replace('uint64 cursor = 1;', 'uint64 cursor = 1;\n  uint64 extra = 99;'),
  );
  expect(found).toBe('');
});

it('a field that gets another number is found', () => {
  expect(breakingChanges((contract) => contract.replace('uint64 cursor = 1;', 'uint64 cursor = 99;'))).toContain(
    'cursor',
  );
});

it('a field that gets another type is found', () => {
  expect(breakingChanges((contract) => contract.replace('string path = 1;', 'bytes path = 1;'))).toContain('path');
});
