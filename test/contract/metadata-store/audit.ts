import { describe, expect, it } from 'vitest';
import type { NamespaceName } from '../../../common/ids.js';
import { trustLimits } from '../../../common/limits.js';
import type { AuditQuery, MetadataStore } from '../../../metadata/store/contract.js';
import { ana, ben, createAccount } from '../../support/metadata/furnished-store.js';
import { accountNamed, auditEntry, deviceNamed } from '../../support/metadata/samples.js';
import { logOf, tracesOf, WHOLE_LOG } from './audit-log.js';

const reports = 'reports' as NamespaceName;

/** What a store promises of the audit log; that writes say what they did is said with them. */
export function describeAudit(open: (content?: 'empty') => Promise<MetadataStore>): void {
  describe('audit', () => {
    const list = (store: MetadataStore, query: Partial<AuditQuery> = {}) =>
      store.audit.list({ ...WHOLE_LOG, ...query });

    it('keeps entries as they were told, numbered from 1', async () => {
      const store = await open('empty');
      expect(await list(store)).toEqual({ entries: [], nextSequence: 0, caughtUp: true });
      const entry = auditEntry('namespace.share', ben, {
        actor: 'device ana/1',
        namespace: reports,
        account: ben,
        facts: { role: 'reader', before: '"\u{1f5ff}' },
      });
      expect(await tracesOf(store, () => store.audit.append(entry))).toEqual(['namespace.share ben']);
      await store.audit.append(auditEntry('ca.create', 'ca'));
      expect(await list(store)).toEqual({
        entries: [
          { ...entry, sequence: 1 },
          { ...auditEntry('ca.create', 'ca'), sequence: 2 },
        ],
        nextSequence: 2,
        caughtUp: true,
      });
    });

    it('stays dense whatever is refused in between, and in the order of the calls', async () => {
      const store = await open('empty');
      await createAccount(store, ana, 'administrator');
      await Promise.allSettled([
        createAccount(store, ben),
        createAccount(store, ana),
        store.audit.append(auditEntry('ca.create', 'ca')),
        createAccount(store, ana),
        createAccount(store, accountNamed('carla')),
      ]);
      const { entries } = await list(store);
      expect(entries.map(({ sequence, subject }) => `${sequence} ${subject}`)).toEqual([
        '1 ana',
        '2 ben',
        '3 ca',
        '4 carla',
      ]);
    });

    it('is read in pages', async () => {
      const store = await open('empty');
      for (const subject of ['a', 'b', 'c']) await store.audit.append(auditEntry('ca.create', subject));
      expect(await logOf(store, { maxEntries: 2 })).toEqual(['ca.create a', 'ca.create b']);
      expect(await list(store, { maxEntries: 2 })).toMatchObject({ nextSequence: 2, caughtUp: false });
      expect(await list(store, { maxEntries: 3 })).toMatchObject({ nextSequence: 3, caughtUp: true });
      expect(await logOf(store, { after: 2 })).toEqual(['ca.create c']);
      expect(await list(store, { after: 3 })).toEqual({ entries: [], nextSequence: 3, caughtUp: true });
      expect(await list(store, { after: 9 })).toEqual({ entries: [], nextSequence: 9, caughtUp: true });
    });

    it('is searched by namespace, and by who did it or to whom it was done', async () => {
      const store = await open('empty');
      const of = (subject: string, actor: string, parts = {}) =>
        store.audit.append(auditEntry('namespace.share', subject, { actor, ...parts }));
      await of('by ana', `device ana/${deviceNamed('laptop')}`, { namespace: reports });
      await of('to ana', 'metadata', { account: ana });
      await of('by ana-2', `device ana-2/${deviceNamed('laptop')}`, { namespace: 'reports-2' });
      await of('by an agent', `agent ana/${deviceNamed('agent')}`);
      await of('by ben to ana', `device ben/${deviceNamed('phone')}`, { namespace: reports, account: ana });
      await of('about ana', 'metadata', { facts: { account: 'ana', namespace: 'reports' } });
      const subjects = async (query: Partial<AuditQuery>) =>
        (await list(store, query)).entries.map(({ subject }) => subject);
      expect(await subjects({ account: ana })).toEqual(['by ana', 'to ana', 'by ben to ana']);
      expect(await subjects({ account: ben })).toEqual(['by ben to ana']);
      expect(await subjects({ namespace: reports })).toEqual(['by ana', 'by ben to ana']);
      expect(await subjects({ namespace: reports, account: ana, after: 1 })).toEqual(['by ben to ana']);
      expect(await list(store, { account: accountNamed('carla') })).toEqual({
        entries: [],
        nextSequence: 6,
        caughtUp: true,
      });
      expect(await list(store, { account: ana, maxEntries: 1 })).toMatchObject({ nextSequence: 1, caughtUp: false });
    });

    it('bounds the work behind a page, and moves past what was left out', async () => {
      const store = await open('empty');
      const total = trustLimits.auditEntriesScanned + 2;
      await Promise.all(
        Array.from({ length: total }, (_, index) =>
          store.audit.append(auditEntry('ca.create', `${index}`, index === total - 1 ? { account: ana } : {})),
        ),
      );
      const first = await list(store, { account: ana });
      expect(first).toEqual({ entries: [], nextSequence: trustLimits.auditEntriesScanned, caughtUp: false });
      const second = await list(store, { account: ana, after: first.nextSequence });
      expect(second).toMatchObject({ entries: [{ sequence: total }], nextSequence: total, caughtUp: true });
    });
  });
}
