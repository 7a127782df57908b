import fc from 'fast-check';
import { HASH_BYTES } from '../../common/block-hash.js';
import type { Item, ItemContent, ItemPath, Version } from '../../common/feed/item.js';
import { pathProblem } from '../../common/feed/paths.js';
import type { DeviceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';

/** Few devices, so that versions meet. */
export const deviceIds = [1, 2, 3, 4].map((digit) => String(digit).repeat(32) as DeviceId);

/** Any version, the one of nobody's change included. */
export const versions: fc.Arbitrary<Version> = fc
  .array(fc.nat({ max: 3 }), { minLength: deviceIds.length, maxLength: deviceIds.length })
  .map((counters) =>
    deviceIds.flatMap((deviceId, index) => {
      const counter = counters[index] ?? 0;
      return counter === 0 ? [] : [{ deviceId, counter }];
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

/** Any item that the contracts allow. */
export const items: fc.Arbitrary<Item> = fc.record({
  path: itemPaths,
  version: versions.filter((version) => version.length > 0),
  author: fc.constantFrom(...deviceIds),
  content: contents,
});
