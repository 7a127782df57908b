import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { plantTree } from '../../support/planted-tree.js';

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

// The linters read the whole of their configuration in each test, which a busy machine does slowly.
vi.setConfig({ testTimeout: 120_000 });

const repository = join(import.meta.dirname, '../../..');
const rulesFile = join(repository, '.dependency-cruiser.cjs');
const { forbidden } = createRequire(import.meta.url)(rulesFile) as {
  forbidden: readonly { name: string; comment?: string }[];
};

const importing = (...specifiers: string[]): string => specifiers.map((name) => `import '${name}';\n`).join('');

/** Each rule, broken once: the file that breaks it and what it imports. */
const planted: Readonly<Record<string, readonly [from: string, specifier: string]>> = {
  'proto-imports-only-itself': ['proto/a.ts', '../common/base.js'],
  'common-imports-only-proto': ['common/a.ts', '../server/base.js'],
  'server-imports-only-common-and-proto': ['server/a.ts', '../metadata/base.js'],
  'agent-imports-only-server-and-common-and-proto': ['agent/a.ts', '../client/base.js'],
  'client-imports-only-server-and-common-and-proto': ['client/a.ts', '../agent/base.js'],
  'metadata-imports-only-common-and-proto': ['metadata/a.ts', '../server/base.js'],
  'nothing-imports-cli': ['agent/b.ts', '../cli/base.js'],
  'nothing-imports-tests': ['cli/a.ts', '../test/support/base.js'],
  'tests-share-through-support': ['test/unit/a.test.ts', './b.test.js'],
  'pure-code-does-no-io': ['common/feed/a.ts', 'node:fs'],
  'only-lmdb-files-import-lmdb': ['server/b.ts', 'lmdb'],
  'only-rpc-imports-grpc': ['server/c.ts', '@grpc/grpc-js'],
  'only-certificates-imports-x509': ['metadata/b.ts', '@peculiar/x509'],
  'only-access-tokens-imports-jose': ['server/e.ts', 'jose'],
  'only-logging-imports-pino': ['server/d.ts', 'pino'],
  'only-the-watcher-imports-parcel-watcher': ['client/b.ts', '@parcel/watcher'],
  'only-peers-import-multicast-dns': ['client/c.ts', 'multicast-dns'],
  'only-cli-imports-commander-and-toml': ['agent/c.ts', 'commander'],
  'no-cycles': ['common/cycle-one.ts', './cycle-two.js'],
  'no-orphans': ['common/orphan.ts', ''],
  'no-dev-dependencies-in-the-product': ['common/b.ts', 'vitest'],
  'no-undeclared-dependencies': ['common/c.ts', 'stray'],
  'everything-resolves': ['common/d.ts', './nowhere.js'],
};

/** What keeps every rule, each with the specifiers that it imports. */
const innocent: Readonly<Record<string, readonly string[]>> = {
  'proto/base.ts': [],
  'common/base.ts': ['../proto/base.js'],
  'common/feed/base.ts': ['../base.js'],
  'common/rpc/base.ts': ['@grpc/grpc-js', '../base.js'],
  'common/identity/certificates.ts': ['@peculiar/x509', '../base.js'],
  'common/identity/access-tokens.ts': ['jose', '../base.js'],
  'common/logging.ts': ['pino'],
  'server/base.ts': ['../common/base.js', '../common/rpc/base.js', '../common/logging.js'],
  'server/lmdb-base.ts': ['lmdb', './base.js'],
  'metadata/base.ts': ['../common/base.js', '../common/feed/base.js'],
  'agent/base.ts': ['../server/base.js', '../server/lmdb-base.js'],
  'client/base.ts': ['../server/base.js', './observe/base.js', './peers/base.js'],
  'client/observe/base.ts': ['@parcel/watcher'],
  'client/peers/base.ts': ['multicast-dns'],
  'cli/base.ts': ['commander', '../agent/base.js', '../client/base.js', '../metadata/base.js'],
  'test/support/base.ts': ['vitest', '../../cli/base.js'],
  'test/unit/b.test.ts': ['../support/base.js'],
};

const products = [
  'lmdb',
  '@grpc/grpc-js',
  '@peculiar/x509',
  'jose',
  'pino',
  '@parcel/watcher',
  'multicast-dns',
  'commander',
];

function cruise(files: Readonly<Record<string, string>>): Violation[] {
  const asVersions = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, '1.0.0']));
  const packages = Object.fromEntries(
    [...products, 'vitest', 'stray'].flatMap((name) => [
      [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
      [`node_modules/${name}/index.js`, ''],
    ]),
  );
  const root = plantTree({
    ...packages,
    'package.json': JSON.stringify({
      type: 'module',
      dependencies: asVersions(products),
      devDependencies: asVersions(['vitest']),
    }),
    'tsconfig.json': readFileSync(join(repository, 'tsconfig.json'), 'utf8'),
    ...files,
  });
  const parts = ['proto', 'common', 'metadata', 'server', 'agent', 'client', 'cli', 'test'];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), '--config', rulesFile].concat(
      ['--output-type', 'json'],
      parts,
    ),
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  expect(stderr).not.toContain('ERROR');
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

const innocentFiles = Object.fromEntries(
  Object.entries(innocent).map(([path, specifiers]) => [path, importing(...specifiers)]),
);

it('every rule has a reason and a planted violation', () => {
  expect(Object.keys(planted).sort()).toEqual(forbidden.map((rule) => rule.name).sort());
  for (const rule of forbidden) expect(rule.comment, rule.name).toMatch(/.{20,}\.$/);
});

it('no rule is broken by a tree that keeps the directions', () => {
  expect(cruise(innocentFiles)).toEqual([]);
});

it('each planted violation is found, by its own rule, in its own file', () => {
  const guilty = Object.fromEntries(
    Object.values(planted).map(([path, specifier]) => [path, specifier === '' ? '' : importing(specifier)]),
  );
  const otherHalf = { 'common/cycle-two.ts': importing('./cycle-one.js') };
  const found = cruise({ ...innocentFiles, ...otherHalf, ...guilty }).map(({ rule, from }) => `${rule.name}: ${from}`);
  const expected = Object.entries(planted).map(([name, [from]]) => `${name}: ${from}`);
  expect(found).toEqual(expect.arrayContaining(expected));
});
