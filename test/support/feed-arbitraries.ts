import fc from 'fast-check';
import { HASH_BYTES } from '../../common/block-hash.js';
import { LOGICAL_MAX, WALL_MAX_MS } from '../../common/feed/hybrid-time.js';
import type { Item, ItemContent, ItemPath, ItemState, Version } from '../../common/feed/item.js';
import { itemOf } from '../../common/feed/merge.js';
import { pathProblem } from '../../common/feed/paths.js';
import { compareStates } from '../../common/feed/state-order.js';
import type { DeviceId, ReplicaId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';

/** Few replicas, so that versions meet. */
export const replicaIds = [1, 2, 3, 4].map((digit) => String(digit).repeat(32) as ReplicaId);
const deviceIds = ['a', 'b'].map((letter) => letter.repeat(32) as DeviceId);

/** Any version, the one of nobody's change included. */
export const versions: fc.Arbitrary<Version> = fc
  .array(fc.nat({ max: 3 }), { minLength: replicaIds.length, maxLength: replicaIds.length })
  .map((counters) =>
    replicaIds.flatMap((replicaId, index) => {
      const counter = counters[index] ?? 0;
      return counter === 0 ? [] : [{ replicaId, counter }];
    }),
  );

/** Any path that a namespace takes. */
export const itemPaths: fc.Arbitrary<ItemPath> = fc
  .array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/').normalize('NFC') as ItemPath)
  .filter((path) => pathProblem(path) === undefined);

const blocklists = fc
  .array(fc.integer({ min: 1, max: wireLimits.blockBytes }), { maxLength: 20 })
  .chain((sizes) =>
    fc
      .uint8Array({ minLength: sizes.length * HASH_BYTES, maxLength: sizes.length * HASH_BYTES })
      .map((hashes) => ({ hashes, sizes })),
  );

const contents: fc.Arbitrary<ItemContent> = fc.oneof(
  fc
    .record({
      blocks: blocklists,
      modifiedAtMs: fc.maxSafeInteger(),
      executable: fc.boolean(),
    })
    .map((file) => ({
      kind: 'file' as const,
      sizeBytes: file.blocks.sizes.reduce((sum, size) => sum + size, 0),
      ...file,
    })),
  fc.constant({ kind: 'directory' as const }),
  fc.constant({ kind: 'deletion' as const }),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 50 })
    .filter((target) => !target.includes('\0'))
    .map((target) => ({ kind: 'symlink' as const, target })),
);

const times = fc.record({ wallMs: fc.integer({ min: 1, max: WALL_MAX_MS }), logical: fc.nat(LOGICAL_MAX) });

const stateParts = fc.record({ at: times, author: fc.constantFrom(...deviceIds), content: contents });

/** Any item that the contracts allow. */
export const items: fc.Arbitrary<Item> = fc
  .record({ path: itemPaths, version: versions.filter((version) => version.length > 0) })
  .chain(({ path, version }) =>
    fc
      .tuple(fc.subarray([...version]), fc.array(stateParts, { minLength: version.length, maxLength: version.length }))
      .map(([changes, parts]) => {
        const states = changes.map((change, index): ItemState => ({ change, ...parts[index]! }));
        return itemOf(path, version, states.sort(compareStates));
      }),
  );
