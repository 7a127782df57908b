import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { systemClock } from '../../common/clock.js';
import type { MetadataStore } from '../../metadata/store/contract.js';
import { openLmdbStore } from '../../metadata/store/lmdb-store.js';
import { createMemoryStore } from '../../metadata/store/memory-store.js';
import { meterStore } from '../../metadata/store/metered-store.js';
import { describeMetadataStore, type MetadataStoreSubject } from './metadata-store.js';

describeMetadataStore('the memory engine', () => ({
  open: async () => createMemoryStore(),
  cleanUp: async () => undefined,
}));

describeMetadataStore('the LMDB engine', () => onDisk(openLmdbStore));

describeMetadataStore('the LMDB engine, metered', () =>
  onDisk(async (path) => meterStore(await openLmdbStore(path), new Registry(), systemClock)),
);

function onDisk(open: (path: string) => Promise<MetadataStore>): MetadataStoreSubject {
  let directory: string | undefined;
  return {
    async open() {
      directory = await mkdtemp(join(tmpdir(), 'drystone-metadata-'));
      return open(join(directory, 'store'));
    },
    async cleanUp() {
      if (directory !== undefined) await rm(directory, { recursive: true });
    },
  };
}
