import { afterEach, describe, expect, it } from 'vitest';
import type { MetadataStore, StoreChange } from '../../metadata/store/contract.js';
import {
  commitItems,
  createAccount,
  feedOf,
  furnish,
  lisbon,
  porto,
  setAssignment,
  shared,
  storedAt,
} from '../support/metadata/furnished-store.js';
import { accountNamed, auditEntry, fileOf, itemAt } from '../support/metadata/samples.js';
import { describeAccounts } from './metadata-store/accounts.js';
import { describeAudit } from './metadata-store/audit.js';
import { describeDirectory } from './metadata-store/directory.js';
import { describeEnrollment } from './metadata-store/enrollment.js';
import { describeFeed } from './metadata-store/feed.js';
import { describeJournal } from './metadata-store/journal.js';
import { describeKnowledge } from './metadata-store/knowledge.js';
import { describeMembers } from './metadata-store/members.js';
import { describePresence } from './metadata-store/presence.js';
import { describeTokenKeys } from './metadata-store/token-keys.js';

/** An engine under test. */
export interface MetadataStoreSubject {
  /** Opens an empty store. */
  open(): Promise<MetadataStore>;
  /** Removes what the store left behind. */
  cleanUp(): Promise<void>;
}

/** What every metadata store promises: the contract in metadata/store/contract.ts. */
export function describeMetadataStore(name: string, createSubject: () => MetadataStoreSubject): void {
  describe(`${name}, as a metadata store`, () => {
    const opened: { store: MetadataStore; subject: MetadataStoreSubject }[] = [];

    /** An empty store, or one with two accounts, two agents and two namespaces. */
    async function open(content: 'empty' | 'furnished' = 'furnished'): Promise<MetadataStore> {
      const subject = createSubject();
      const store = await subject.open();
      opened.push({ store, subject });
      if (content === 'furnished') await furnish(store);
      return store;
    }

    afterEach(async () => {
      for (const { store, subject } of opened.splice(0)) {
        await store.close();
        await subject.cleanUp();
      }
    });

    describeAccounts(open);
    describeMembers(open);
    describeEnrollment(open);
    describeTokenKeys(open);
    describeAudit(open);
    describeDirectory(open);
    describeFeed(open);
    describeJournal(open);
    describeKnowledge(open);
    describePresence(open);

    it('counts what it keeps', async () => {
      const empty = await open('empty');
      expect(await empty.stats()).toMatchObject({ namespaces: 0, agents: 0, presenceRows: 0, journalEntries: 0 });
      const store = await open();
      await commitItems(store, [itemAt('a', { ana: 1 }, fileOf('a', 'b'))], [storedAt(lisbon, 'a', 'b')]);
      await commitItems(store, [itemAt('a', { ana: 2 })], [storedAt(porto, 'a')]);
      expect(await store.stats()).toMatchObject({ namespaces: 2, agents: 2, presenceRows: 2, journalEntries: 2 });
      const revoke = () => store.directory.revokeAgent(porto.id, 5, auditEntry('agent.revoke', porto.id));
      await Promise.all([revoke(), revoke()]);
      expect(await store.stats()).toMatchObject({ namespaces: 2, agents: 1 });
    });

    it('tells of changes once they are durable', async () => {
      const store = await open();
      const changes: StoreChange[] = [];
      const end = store.onChange((change) => changes.push(change));
      await createAccount(store, accountNamed('carla'));
      await setAssignment(store, shared.id, porto);
      expect(changes.splice(0)).toEqual([{ kind: 'directory' }, { kind: 'directory' }]);
      await commitItems(store, [itemAt('a'), itemAt('b')]);
      expect(changes.splice(0)).toEqual([{ kind: 'feed', namespaceId: shared.id, cursor: 2 }]);
      await commitItems(store, [itemAt('a')]);
      expect(changes).toEqual([]);
      end();
      await setAssignment(store, shared.id, lisbon);
      expect(changes).toEqual([]);
    });

    it('takes nothing any more once it is closed', async () => {
      const store = await open();
      const begun = commitItems(store, [itemAt('a')]);
      await Promise.all([store.close(), store.close()]);
      expect((await begun).feed.cursor).toBe(1);
      const refusal = { code: 'UNAVAILABLE', reason: 'DRAINING' };
      await expect(commitItems(store, [itemAt('b')])).rejects.toMatchObject(refusal);
      await expect(feedOf(store)).rejects.toMatchObject(refusal);
      await expect(setAssignment(store, shared.id, lisbon)).rejects.toMatchObject(refusal);
    });
  });
}
