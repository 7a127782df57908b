import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MetadataStore } from '../../metadata/store/contract.js';
import { openLmdbStore } from '../../metadata/store/lmdb-store.js';
import {
  ana,
  ben,
  commitItems,
  enrollAgent,
  enrollDevice,
  feedOf,
  furnish,
  lisbon,
  porto,
  shared,
  storedAt,
} from '../support/metadata/furnished-store.js';
import {
  auditEntry,
  cursor,
  deviceNamed,
  fileOf,
  hashesNamed,
  itemAt,
  sampleAgent,
  SAMPLE_TIME_MS,
  sampleToken,
} from '../support/metadata/samples.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { WHOLE_LOG } from './metadata-store/audit-log.js';

const waiting = sampleToken('waiting', { kind: 'device', account: ben });

/** Uses every method that writes. */
async function write(store: MetadataStore): Promise<void> {
  const { accounts, enrollment, directory } = store;
  await furnish(store);
  await accounts.setAccountRole(ben, 'administrator', auditEntry('account.role', ben));
  await accounts.putMember(shared.id, { account: ben, role: 'editor' }, auditEntry('namespace.share', ben));
  await enrollDevice(store, ana, 'laptop');
  await enrollDevice(store, ben, 'phone');
  await accounts.revokeDevice(deviceNamed('phone'), 5, auditEntry('device.revoke', 'phone'));
  await enrollment.createToken(waiting, auditEntry('token.issue', 'waiting'));
  for (const id of ['old', 'new']) {
    const key = { id, privateKey: Buffer.from(id), createdAtMs: SAMPLE_TIME_MS, activeFromMs: SAMPLE_TIME_MS };
    await enrollment.putTokenKey(key, auditEntry('token-key.create', id));
  }
  await enrollment.removeTokenKey('old');
  await commitItems(store, [itemAt('a', { ana: 1 }, fileOf('1'))], [storedAt(lisbon, '1')]);
  await directory.revokeAgent(porto.id, 5, auditEntry('agent.revoke', porto.id));
  await store.audit.append(auditEntry('ca.create', 'ca'));
}

/** All that can be read of a store. */
async function everything({ accounts, enrollment, audit, directory, presence, journal }: MetadataStore) {
  return {
    accounts: await accounts.listAccounts(undefined, 100),
    devices: await accounts.listDevices(undefined, undefined, 100),
    devicesOfBen: await accounts.listDevices(ben, undefined, 100),
    roleOfBen: await accounts.roleOf(shared.id, ben),
    members: await accounts.listMembers(shared.id, undefined, 100),
    memberships: await accounts.listMemberships(ben, undefined, 100),
    token: await enrollment.getToken(waiting.id),
    tokenKeys: await enrollment.listTokenKeys(),
    log: await audit.list(WHOLE_LOG),
    agents: await directory.listAgents(undefined, 100),
    namespaces: await directory.listNamespaces(undefined, 100),
    holdings: await directory.listHoldings(lisbon.id),
    missing: await presence.countMissing(shared.id, [lisbon.id, porto.id], hashesNamed('1')),
    feed: await journal.feedHead(shared.id),
  };
}

describe('the LMDB engine, on disk', () => {
  it('has all that was acknowledged when it is opened again, and goes on where it stood', async () => {
    const path = join(temporaryDirectory(), 'store');
    const before = await openLmdbStore(path);
    await write(before);
    const written = await everything(before);
    expect(written.log.entries).toHaveLength(20);
    await before.close();

    const store = await openLmdbStore(path);
    expect(await everything(store)).toEqual(written);
    await store.audit.append(auditEntry('ca.import', 'next'));
    const { entries } = await store.audit.list({ ...WHOLE_LOG, after: written.log.nextSequence });
    expect(entries).toMatchObject([{ sequence: written.log.nextSequence + 1, subject: 'next' }]);
    await store.close();
  });

  it('keeps the history of what was written before, and has another one for what comes', async () => {
    const path = join(temporaryDirectory(), 'store');
    const histories = async (store: MetadataStore): Promise<(string | undefined)[]> => [
      await store.journal.historyOf(shared.id, cursor(1)),
      await store.journal.historyOf(shared.id, cursor(2)),
    ];
    const before = await openLmdbStore(path);
    await furnish(before);
    await commitItems(before, [itemAt('a'), itemAt('b')]);
    const [history] = await histories(before);
    await before.close();

    const store = await openLmdbStore(path);
    await commitItems(store, [itemAt('a')]);
    expect(await histories(store)).toEqual([history, history]);
    await commitItems(store, [itemAt('c')]);
    expect(await histories(store)).toEqual([history, history]);
    const next = await store.journal.historyOf(shared.id, cursor(3));
    expect([next === undefined, next === history]).toEqual([false, false]);
    await store.close();
  });

  it('is for nobody else to read', async () => {
    const path = join(temporaryDirectory(), 'store');
    await (await openLmdbStore(path)).close();
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it('gives no agent the number of another: what one holds the next does not', async () => {
    const path = join(temporaryDirectory(), 'store');
    const before = await openLmdbStore(path);
    await furnish(before);
    await commitItems(before, [], [storedAt(lisbon, '1'), storedAt(porto, '1')]);
    await before.close();

    const store = await openLmdbStore(path);
    const faro = sampleAgent('faro');
    await enrollAgent(store, faro);
    const agents = [lisbon.id, porto.id, faro.id];
    expect(await store.presence.countMissing(shared.id, agents, hashesNamed('1'))).toEqual([0, 0, 1]);
    expect(await feedOf(store)).toEqual([]);
    await store.close();
  });
});
