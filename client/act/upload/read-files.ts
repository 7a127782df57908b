import type { Blocklist, ItemPath } from '../../../common/feed/item.js';
import type { Cutter } from '../../observe/cutter.js';
import type { ReadFile } from '../../plan/operation.js';
import { cutFiles } from './file-cutting.js';
import { PendingFile, type UploadOutcome } from './pending-item.js';

export interface ReadingParts {
  readonly cutter: Cutter;
  /** Where a path lies on this disk. */
  readonly absolutePath: (path: ItemPath) => string;
  /** Told of operations as they are done: `read`, `changed` or `refused`. */
  readonly onOutcomes: (outcomes: readonly UploadOutcome[]) => void;
}

/** Finds out of which blocks files are made. Nobody is asked, and nothing is sent. Raises what `signal` aborts with. */
export async function readFiles(
  operations: readonly ReadFile[],
  parts: ReadingParts,
  signal: AbortSignal,
): Promise<void> {
  const files = operations.map(({ file }) => {
    const onRead = (blocks: Blocklist): void => parts.onOutcomes([{ outcome: 'read', entry: { ...file, blocks } }]);
    return new PendingFile(file, undefined, onRead);
  });
  const take = (_block: unknown, pending: PendingFile): Promise<void> => {
    pending.blockStored();
    return Promise.resolve();
  };
  await cutFiles(files, { ...parts, take }, signal);
}
