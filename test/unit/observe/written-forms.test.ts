import { expect, test } from 'vitest';
import { writtenForms } from '../../../client/observe/written-forms.js';

test.each([
  ['caf\u00e9.txt', 'cafe\u0301.txt', 'caf\\u00e9.txt', 'cafe\\u0301.txt'],
  ['\u0434\u0430\u043d\u043e \u00e9', '\u0434\u0430\u043d\u043e e\u0301', 'дано \\u00e9', 'дано e\\u0301'],
  ['K', '\u212a', 'K', '\\u212a'],
  ['\u{1d15e}', '\u{1d157}\u{1d165}', '\\u{1d15e}', '\\u{1d157}\\u{1d165}'],
  ['\u00e9a\u00e9', 'e\u0301ae\u0301', '\\u00e9a\\u00e9', 'e\\u0301ae\\u0301'],
])('%j and %j are told apart', (one, other, ...shown) => {
  expect(writtenForms(one, other)).toEqual(shown);
});
