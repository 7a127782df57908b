import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * What no file may reach for by itself, because a test must be able to own it. Each is handed in instead; the one place
 * that has it is named in the message.
 */
const time = [
  { object: 'Date', property: 'now', message: 'Take a Clock (common/clock.ts): a test must own time.' },
  { object: 'performance', property: 'now', message: 'Take a Clock (common/clock.ts) and use monotonicMs.' },
  { object: 'process', property: 'hrtime', message: 'Take a Clock (common/clock.ts) and use monotonicMs.' },
];
const chance = [
  { object: 'Math', property: 'random', message: 'Take a Random (common/random.ts): a test must seed it.' },
];
const environment = [
  { object: 'process', property: 'env', message: 'Only config.ts files read the environment; take a setting instead.' },
];
const signals = [
  {
    object: 'AbortSignal',
    property: 'any',
    message: 'Use anySignal (common/concurrency/any-signal.ts), which says why.',
  },
];
const timers = ['setTimeout', 'setInterval'].map((name) => ({
  name,
  message: 'Take a Clock (common/clock.ts) and sleep: a test must own time.',
}));
const timerModules = ['timers', 'timers/promises', 'node:timers', 'node:timers/promises'].map((name) => ({
  name,
  message: 'Take a Clock (common/clock.ts) and sleep: a test must own time.',
}));
const chanceModules = ['crypto', 'node:crypto'].map((name) => ({
  name,
  importNames: ['randomBytes', 'randomInt', 'randomUUID', 'randomFill', 'randomFillSync'],
  message: 'Take a Random (common/random.ts): a test must seed it.',
}));
const currentDate = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'Take a Clock (common/clock.ts): a test must own time.',
};
const partialSuites = {
  selector:
    'MemberExpression[object.name=/^(it|test|describe|suite|bench)$/][property.name=/^(skip|only|todo|fails|skipIf|runIf)$/]',
  message: 'Every test runs, always, and passes.',
};

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'dist-bench/',
      'dist-simulation/',
      'coverage/',
      'proto/gen/',
      'client/observe/fastcdc/fastcdc-wasm.ts',
    ],
  },
  // What a rule forbids is not to be had by a comment either.
  { linterOptions: { noInlineConfig: true } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // What a loop only drains is called `_`.
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_$', argsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A number in a text reads the same everywhere.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `for (;;)` and its like are loops on purpose.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // The caller of idOfPublicKey and its like says whose id it is.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // A contract promises a promise; an engine that needs no waiting keeps it, with its errors as rejections.
      '@typescript-eslint/require-await': 'off',
      // What was caught is thrown on as it came.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', { max: 6 }],
      'no-console': 'error',
      'no-restricted-globals': ['error', ...timers],
      'no-restricted-imports': ['error', { paths: [...timerModules, ...chanceModules] }],
      'no-restricted-properties': ['error', ...time, ...chance, ...environment, ...signals],
      'no-restricted-syntax': ['error', currentDate],
    },
  },
  {
    // The one place that reads the machine's clock.
    files: ['common/clock.ts'],
    rules: {
      'no-restricted-imports': 'off',
      'no-restricted-properties': ['error', ...chance, ...environment, ...signals],
    },
  },
  {
    // The one place that joins signals.
    files: ['common/concurrency/any-signal.ts'],
    rules: { 'no-restricted-properties': ['error', ...time, ...chance, ...environment] },
  },
  {
    // The one place that asks the machine for chance.
    files: ['common/random.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: timerModules }],
      'no-restricted-properties': ['error', ...time, ...environment, ...signals],
    },
  },
  {
    // The transport keeps real time whoever owns the program's: a deadline of gRPC is a date, a drain grace is not
    // shortened by a test, and calls are timed as long as they took.
    files: ['common/rpc/*.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': ['error', ...chance, ...environment, ...signals],
    },
  },
  {
    files: ['**/config.ts'],
    rules: { 'no-restricted-properties': ['error', ...time, ...chance, ...signals] },
  },
  {
    // Tests drive real programs in real time, and say what they know to be there with `!`.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'max-lines-per-function': 'off',
      'no-console': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-imports': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': ['error', partialSuites],
      // A stream that only fails has nothing to yield.
      'require-yield': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { globals: { console: false, process: false, Buffer: false, URL: false } },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { module: true, require: false } },
  },
);
