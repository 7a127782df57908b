import { expect, test } from 'vitest';
import { nearestNames } from '../../../../cli/settings/nearest-names.js';

const KNOWN = ['DATA', 'LISTEN', 'METADATA', 'HTTP', 'HTTPS'];

test.each([
  ['LISTN', ['LISTEN']],
  ['LISTNE', ['LISTEN']],
  ['MEATDATA', ['METADATA']],
  ['HTT', ['HTTP']],
  ['HTTPX', ['HTTP', 'HTTPS']],
  ['PREMISES', []],
  ['', []],
])('%j may have been meant as %j', (name, meant) => {
  expect(nearestNames(name, KNOWN)).toEqual(meant);
});
