import { expect, it } from 'vitest';
import { includesRight } from '../../../../common/identity/access-right.js';

it('a right to write is one to read, and not the other way round', () => {
  expect(includesRight('read', 'read')).toBe(true);
  expect(includesRight('write', 'read')).toBe(true);
  expect(includesRight('write', 'write')).toBe(true);
  expect(includesRight('read', 'write')).toBe(false);
  expect(includesRight(undefined, 'read')).toBe(false);
  expect(includesRight(undefined, 'write')).toBe(false);
});
