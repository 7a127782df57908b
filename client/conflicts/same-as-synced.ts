import { readSync } from 'node:fs';
import { hashAt, hashBlockSync } from '../../common/block-hash.js';
import type { Blocklist, Item } from '../../common/feed/item.js';
import { wireLimits } from '../../common/limits.js';
import type { Observation } from '../observe/observation.js';
import { readStable } from '../observe/stable-file.js';

/**
 * Whether what stands at a place of the folder is in the namespace, as `synced` was agreed on: then it can be removed here,
 * and is not lost. A file is read to the end; one that changes meanwhile is not the same.
 */
export function isAsSynced(absolutePath: string, standing: Observation, synced: Item | undefined): boolean {
  const content = synced?.content;
  switch (standing.kind) {
    case 'directory':
      return false;
    case 'symlink':
      return content?.kind === 'symlink' && content.target === standing.target;
    case 'file': {
      if (content?.kind !== 'file' || content.sizeBytes !== standing.stamp.sizeBytes) return false;
      const request = { absolutePath, stamp: standing.stamp };
      return readStable(request, (descriptor) => holdsBlocks(descriptor, content.blocks)) === true;
    }
  }
}

function holdsBlocks(descriptor: number, { hashes, sizes }: Blocklist): boolean {
  const buffer = Buffer.allocUnsafeSlow(wireLimits.blockBytes);
  return sizes.every((sizeBytes, index) => {
    const bytes = buffer.subarray(0, sizeBytes);
    return isFilled(descriptor, bytes) && hashBlockSync(bytes).equals(hashAt(hashes, index));
  });
}

function isFilled(descriptor: number, bytes: Buffer): boolean {
  for (let filled = 0; filled < bytes.length;) {
    const count = readSync(descriptor, bytes, filled, bytes.length - filled, null);
    if (count === 0) return false;
    filled += count;
  }
  return true;
}
