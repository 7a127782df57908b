/**
 * Which file may import which. Data flows one way: `proto, common <- server <- agent, client` and
 * `proto, common <- metadata`; the command line stands on top of all, tests beside them.
 *
 * Every rule says why it is there. test/unit/ground/dependency-rules.test.ts breaks each of them once.
 */

/** A part may import itself and the parts named; of the rest of this repository nothing. */
const onlyImports = (part, allowed, comment) => ({
  name: `${part}-imports-only-${[...allowed].join('-and-') || 'itself'}`,
  comment,
  severity: 'error',
  from: { path: `^${part}/` },
  to: {
    path: '^(proto|common|server|metadata|agent|client|cli|scripts|test)/',
    pathNot: `^(${[part, ...allowed].join('|')})/`,
  },
});

/** An npm package that only some files may import. */
const onlyFrom = (name, npmPackage, importers, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^(proto|common|server|metadata|agent|client|cli)/', pathNot: importers },
  to: { path: `(^|/)node_modules/${npmPackage}/` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    // Directions between the parts.
    onlyImports('proto', [], 'Contracts are the ground: they know nothing of the programs that speak them.'),
    onlyImports(
      'common',
      ['proto'],
      'What every part may use must stand without any of them, or no part could be taken out alone.',
    ),
    onlyImports(
      'server',
      ['common', 'proto'],
      'Agents and peers embed the block server; it must not know who carries it, nor that a metadata service exists.',
    ),
    onlyImports(
      'agent',
      ['server', 'common', 'proto'],
      'An agent meets metadata and clients over the wire only: on a site it runs without their code.',
    ),
    onlyImports(
      'client',
      ['server', 'common', 'proto'],
      'A client meets metadata and agents over the wire only: what it needs from them is in the contracts.',
    ),
    onlyImports(
      'metadata',
      ['common', 'proto'],
      'The central service moves no blocks: code of the block server in it would mean that it had begun to.',
    ),
    {
      name: 'nothing-imports-cli',
      comment: 'The command line is the rim: what others need from it belongs into the part that it starts.',
      severity: 'error',
      from: { path: '^(proto|common|server|metadata|agent|client|scripts)/' },
      to: { path: '^cli/' },
    },
    {
      name: 'nothing-imports-tests',
      comment: 'A product that needs its tests to run cannot be shipped without them.',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'tests-share-through-support',
      comment: 'A helper inside a test file runs that file for whoever imports it; helpers live in test/support.',
      severity: 'error',
      from: { path: '^test/' },
      to: { path: '[.]test[.]ts$' },
    },

    // Pure middle, I/O at the rim.
    {
      name: 'pure-code-does-no-io',
      comment:
        'Versions, paths and the planner decide what happens to people’s files: they are functions of their arguments, so that every case can be tried.',
      severity: 'error',
      from: { path: '^(common/feed|client/plan)/' },
      to: {
        path: '^(node:)?(fs|fs/promises|net|http|http2|https|child_process|worker_threads|cluster|dgram|dns)$|(^|/)node_modules/(lmdb|@grpc/grpc-js|@parcel/watcher|piscina)/',
      },
    },

    // One place for each library that would otherwise seep everywhere.
    onlyFrom(
      'only-lmdb-files-import-lmdb',
      'lmdb',
      '/lmdb-[^/]+[.]ts$',
      'A store is a contract with engines: another engine is possible as long as lmdb shows in no other file.',
    ),
    onlyFrom(
      'only-rpc-imports-grpc',
      '(@grpc/grpc-js|@grpc/proto-loader|@grpc/reflection|grpc-health-check)',
      '^(common/rpc|proto/gen)/',
      'Credentials, windows, limits and draining are set in one place; a server or channel made elsewhere would miss them.',
    ),
    onlyFrom(
      'only-certificates-imports-x509',
      '(@peculiar/[^/]+|reflect-metadata)',
      '^common/identity/certificates[.]ts$',
      'What a certificate of the fleet holds is decided once; and the library takes a quarter of a second to load.',
    ),
    onlyFrom(
      'only-access-tokens-imports-jose',
      'jose',
      '^common/identity/access-tokens[.]ts$',
      'A token is signed and verified beside each other: what one side does not say the other must not believe.',
    ),
    onlyFrom(
      'only-logging-imports-pino',
      'pino',
      '^common/logging[.]ts$',
      'What a log line looks like, and what must never be in one, is decided once.',
    ),
    onlyFrom(
      'only-the-watcher-imports-parcel-watcher',
      '@parcel/watcher',
      '^client/observe/',
      'The watcher drops events under load: it is a hint to the scan and nothing else may rely on it.',
    ),
    onlyFrom(
      'only-peers-import-multicast-dns',
      'multicast-dns',
      '^client/peers/',
      'What a local network is told, and what is believed of what it says, is decided beside each other.',
    ),
    onlyFrom(
      'only-cli-imports-commander-and-toml',
      '(commander|smol-toml)',
      '^cli/',
      'Programs take a finished configuration: how a person gave it is the business of the command line.',
    ),

    // Health of the tree.
    {
      name: 'no-cycles',
      comment:
        'Two files that need each other are one file in two pieces; types count, since a reader follows them too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports and that starts nothing is dead.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: ['^test/', '^cli/main[.]ts$', '(^|/)[^/]+-worker[.]ts$', '[.]d[.]ts$', '[.]config[.](ts|js)$'],
      },
      to: {},
    },
    {
      name: 'no-dev-dependencies-in-the-product',
      comment: 'What is installed for development is not there where the product runs.',
      severity: 'error',
      from: { path: '^(proto|common|server|metadata|agent|client|cli)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-dependencies',
      comment: 'A package that package.json does not name is there by accident, in a version by accident.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that leads nowhere fails at run time, on somebody else’s machine.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
