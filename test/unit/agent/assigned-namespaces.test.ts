import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { AssignedNamespaces } from '../../../agent/assigned-namespaces.js';
import type { NamespaceId } from '../../../common/ids.js';
import { rejection } from '../../support/async-tools.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const one = { id: '11'.repeat(16) as NamespaceId, name: 'one', epoch: 1 };
const two = { id: '22'.repeat(16) as NamespaceId, name: 'two', epoch: 9 };
let directory: string;
let path: string;

beforeEach(() => {
  directory = join(temporaryDirectory(), 'data');
  mkdirSync(directory);
  path = join(directory, 'assignments.json');
});

describe('assigned namespaces', () => {
  it('are none at first', async () => {
    const assigned = await AssignedNamespaces.load(path);
    expect(assigned.count).toBe(0);
    expect(assigned.holds(one.id)).toBe(false);
    expect(existsSync(path)).toBe(false);
  });

  it('are what was told last, after a restart too', async () => {
    const assigned = await AssignedNamespaces.load(path);
    await assigned.replace([one]);
    await assigned.replace([two, one]);
    await assigned.replace([two]);
    for (const held of [assigned, await AssignedNamespaces.load(path)]) {
      expect(held.count).toBe(1);
      expect(held.holds(one.id)).toBe(false);
      expect(held.holds(two.id)).toBe(true);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('are written only where they changed', async () => {
    const assigned = await AssignedNamespaces.load(path);
    await assigned.replace([one, two]);
    rmSync(path);
    await assigned.replace([two, one]);
    expect(existsSync(path)).toBe(false);
    await assigned.replace([{ ...one, epoch: 2 }, two]);
    expect(existsSync(path)).toBe(true);
  });

  it('are in force though they could not be written, and are written by the next telling', async () => {
    const assigned = await AssignedNamespaces.load(path);
    // Not by permissions: the tests may be run by root.
    mkdirSync(`${path}.new`);
    await rejection(assigned.replace([one]));
    expect(assigned.holds(one.id)).toBe(true);
    expect(existsSync(path)).toBe(false);
    rmSync(`${path}.new`, { recursive: true });
    await assigned.replace([one]);
    expect((await AssignedNamespaces.load(path)).holds(one.id)).toBe(true);
  });

  it.each(['', '{', '[]', '{"namespaces":[{"id":"x","name":"x","epoch":1}]}', '{"namespaces":[{"id":1}]}'])(
    'in a damaged file are an error that names it: %j',
    async (text) => {
      writeFileSync(path, text);
      const error = await rejection(AssignedNamespaces.load(path));
      expect(error).toMatchObject({ code: 'INTERNAL', reason: 'STORE_FAILED' });
      expect((error as Error).message).toContain(path);
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );
});
