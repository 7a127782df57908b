import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memberRoles, type MemberRoleName } from '../../../../cli/fleet/roles.js';
import { openDevice } from '../../../../client/connection/device.js';
import { InProcessFleet } from '../../../support/client/in-process-fleet.js';
import { waitUntil } from '../../../support/wait-until.js';

function put(fleet: InProcessFleet, name: string, file: string, text: string): void {
  mkdirSync(fleet.folder(name), { recursive: true });
  writeFileSync(join(fleet.folder(name), file), text);
}

function share(fleet: InProcessFleet, account: string, role: MemberRoleName): Promise<unknown> {
  const request = { namespaceName: 'docs', account, role: memberRoles[role] };
  return fleet.admissions.ask(({ access }) => access.shareNamespace(request));
}

test('a namespace is there for members only, whatever else there is', async () => {
  const fleet = await InProcessFleet.start();
  const ben = { account: 'ben' };
  await expect(fleet.syncOnce('b', ben)).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' });
  await share(fleet, 'ben', 'reader');
  put(fleet, 'a', 'file', 'text');
  await fleet.syncOnce('a');
  await fleet.syncOnce('b', ben);
  expect(readFileSync(join(fleet.folder('b'), 'file'), 'utf8')).toBe('text');
});

test('a reader’s own changes stay in the folder and are reported; those of others keep coming', async () => {
  const fleet = await InProcessFleet.start();
  await fleet.homeOf('b', 'ben');
  await share(fleet, 'ben', 'reader');
  put(fleet, 'a', 'first', 'text');
  put(fleet, 'b', 'own', 'of a reader');
  await fleet.syncOnce('a');
  const { problems, itemsCommitted, witness } = await fleet.syncOnce('b');
  expect({ problems, itemsCommitted }).toEqual({ problems: 1, itemsCommitted: 0 });
  expect(witness.problems).toEqual([{ name: 'own', problem: expect.stringContaining('may only read') as string }]);
  put(fleet, 'a', 'second', 'text');
  await fleet.syncOnce('a');
  await fleet.syncOnce('b');
  expect(readFileSync(join(fleet.folder('b'), 'second'), 'utf8')).toBe('text');
  expect(readFileSync(join(fleet.folder('b'), 'own'), 'utf8')).toBe('of a reader');

  await share(fleet, 'ben', 'editor');
  expect(await fleet.syncOnce('b')).toMatchObject({ problems: 0, itemsCommitted: 1 });
});

test('a member who is taken out receives nothing any more, and is told why', async () => {
  const fleet = await InProcessFleet.start();
  await fleet.homeOf('b', 'ben');
  await share(fleet, 'ben', 'editor');
  const { sync, witness } = await fleet.startClient('b', { once: false });
  await waitUntil('the client is up', () => witness.phases.includes('quiet'));
  await fleet.admissions.ask(({ access }) => access.unshareNamespace({ namespaceName: 'docs', account: 'ben' }));
  await expect(sync.finished).rejects.toMatchObject({
    code: 'NOT_FOUND',
    reason: 'NAMESPACE_UNKNOWN',
    message: expect.stringContaining('no longer, a member') as string,
  });
  put(fleet, 'a', 'later', 'text');
  await fleet.syncOnce('a');
  await expect(fleet.syncOnce('b')).rejects.toMatchObject({ reason: 'NAMESPACE_UNKNOWN' });
  expect(existsSync(join(fleet.folder('b'), 'later'))).toBe(false);
});

test('a device that is revoked stops at once, and its account’s other devices go on', async () => {
  const fleet = await InProcessFleet.start();
  const lost = await fleet.startClient('lost', { once: false });
  const kept = await fleet.startClient('kept', { once: false });
  for (const { witness } of [lost, kept]) await waitUntil('both are up', () => witness.phases.includes('quiet'));
  const { id: deviceId } = await openDevice(await fleet.homeOf('lost'));
  await fleet.admissions.ask(({ access }) => access.revokeDevice({ deviceId }));
  await expect(lost.sync.finished).rejects.toMatchObject({ code: 'UNAUTHENTICATED', reason: 'IDENTITY_REVOKED' });
  put(fleet, 'kept', 'later', 'text');
  await waitUntil('the file is committed', () => kept.sync.summary().itemsCommitted === 1);
  expect(existsSync(join(fleet.folder('lost'), 'later'))).toBe(false);
});
