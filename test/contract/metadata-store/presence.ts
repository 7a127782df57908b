import { describe, expect, it } from 'vitest';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import { commitItems, lisbon, other, porto, shared, storedAt } from '../../support/metadata/furnished-store.js';
import { hashesNamed, namespaceIdNamed, sampleAgent, type SampleAgent } from '../../support/metadata/samples.js';

/** What a store promises of presence. */
export function describePresence(open: () => Promise<MetadataStore>): void {
  describe('presence', () => {
    const missingAt = async (store: MetadataStore, agent: SampleAgent, namespace = shared): Promise<Buffer> =>
      Buffer.from(await store.presence.findMissing(namespace.id, agent.id, hashesNamed('a', 'b', 'c', 'a')));

    it('is empty at first', async () => {
      const store = await open();
      expect(await missingAt(store, lisbon)).toEqual(hashesNamed('a', 'b', 'c', 'a'));
      expect(await store.presence.findMissing(shared.id, lisbon.id, new Uint8Array(0))).toHaveLength(0);
    });

    it('is kept by agent, and answered in the order asked', async () => {
      const store = await open();
      await commitItems(store, [], [storedAt(lisbon, 'b', 'x'), storedAt(porto, 'a', 'b')]);
      expect(await missingAt(store, lisbon)).toEqual(hashesNamed('a', 'c', 'a'));
      expect(await missingAt(store, porto)).toEqual(hashesNamed('c'));
    });

    it('is kept by namespace: what is held for one is missing in another', async () => {
      const store = await open();
      await commitItems(store, [], [storedAt(lisbon, 'a', 'b', 'c')]);
      expect(await missingAt(store, lisbon, other)).toEqual(hashesNamed('a', 'b', 'c', 'a'));
      expect(await missingAt(store, lisbon)).toHaveLength(0);
    });

    it('compares agents by how much each lacks', async () => {
      const store = await open();
      await commitItems(store, [], [storedAt(lisbon, 'b'), storedAt(porto, 'a', 'b')]);
      const agents = [porto.id, lisbon.id, sampleAgent('stranger').id];
      expect(await store.presence.countMissing(shared.id, agents, hashesNamed('a', 'b', 'c'))).toEqual([1, 2, 3]);
    });

    it('is empty for agents and namespaces that are not known', async () => {
      const store = await open();
      const hashes = hashesNamed('a', 'b');
      expect(await store.presence.findMissing(shared.id, sampleAgent('stranger').id, hashes)).toEqual(hashes);
      const nowhere = namespaceIdNamed('nowhere');
      expect(Buffer.from(await store.presence.findMissing(nowhere, lisbon.id, hashes))).toEqual(hashes);
      expect(await store.presence.countMissing(nowhere, [lisbon.id], hashes)).toEqual([2]);
    });

    it('may be told the same twice', async () => {
      const store = await open();
      await commitItems(store, [], [storedAt(lisbon, 'a', 'a'), storedAt(lisbon, 'a')]);
      await commitItems(store, [], [storedAt(lisbon, 'a')]);
      expect(await store.stats()).toMatchObject({ presenceRows: 1 });
      expect(await missingAt(store, lisbon)).toEqual(hashesNamed('b', 'c'));
    });
  });
}
