import { metadataLimits } from '../../common/limits.js';
import { openLmdbEnvironment, type LmdbEnvironment } from '../../common/store/lmdb-environment.js';
import { treeNames, type TreeName } from './lmdb-keys.js';

/** The trees of the metadata store, and transactions over them. */
export type MetadataEnvironment = LmdbEnvironment<TreeName>;
export type Trees = MetadataEnvironment['trees'];

/** Opens, or makes, the metadata store's environment in the directory `path`. One process at a time. */
export function openMetadataEnvironment(path: string): Promise<MetadataEnvironment> {
  return openLmdbEnvironment({ path, treeNames, mapBytes: metadataLimits.mapBytes, what: 'the metadata store' });
}
