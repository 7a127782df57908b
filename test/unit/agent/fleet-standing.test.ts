import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AssignedNamespaces } from '../../../agent/assigned-namespaces.js';
import { FleetStanding } from '../../../agent/fleet-standing.js';
import { KeptTokenKeys } from '../../../agent/token-keys.js';
import type { NamespaceId } from '../../../common/ids.js';
import type { Logger } from '../../../common/logging.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

it('an agent that is revoked answers nobody though it cannot forget what it was told, and says which file to delete', async () => {
  const dir = temporaryDirectory();
  const assigned = await AssignedNamespaces.load(join(dir, 'assignments.json'));
  const tokenKeys = await KeptTokenKeys.load(join(dir, 'token-keys.json'), { replaceKeys: () => undefined });
  await assigned.replace([{ id: '11'.repeat(16) as NamespaceId, name: 'one', epoch: 1 }]);
  await tokenKeys.replace([{ id: 'k1', publicKey: Buffer.alloc(32) }]);
  const said: string[] = [];
  const logger = { error: (...words: unknown[]) => void said.push(String(words.at(-1))) } as unknown as Logger;
  const standing = new FleetStanding(assigned, tokenKeys, logger);
  expect(standing.isRevoked).toBe(false);

  // Not by permissions: the tests may be run by root.
  mkdirSync(`${assigned.path}.new`);
  await standing.revoke();
  expect(standing.isRevoked).toBe(true);
  expect(standing.revoked.aborted).toBe(true);
  expect(assigned.count).toBe(0);
  expect(said[0]).toMatch(/REVOKED/);
  expect(said.slice(1)).toEqual([expect.stringContaining(assigned.path)]);
  rmSync(`${assigned.path}.new`, { recursive: true });
});
