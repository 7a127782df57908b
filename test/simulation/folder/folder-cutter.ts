import { HASH_BYTES, hashBlockSync } from '../../../common/block-hash.js';
import type { ItemPath } from '../../../common/feed/item.js';
import type { CutRequest, Cutter } from '../../../client/observe/cutter.js';
import type {
  CutChunk,
  CutTaskRunner,
  FileRefusal,
  SegmentResult,
  SegmentTask,
  SmallFilesResult,
  SmallFilesTask,
} from '../../../client/observe/cut-task.js';
import { sameStamp } from '../../../client/observe/stable-file.js';
import { TaskCutter } from '../../../client/observe/task-cutter.js';
import type { SimulatedProcess } from '../process.js';
import { stampOf, type SimulatedFolder } from './folder.js';

/** Blocks of large files all have this size: small enough to be hashed without leaving the thread. */
export const LARGE_BLOCK_BYTES = 24 * 1024;

const READ_MS = 10;

/** Cuts the files of a simulated folder: the product's cutter, over tasks that cut at every `LARGE_BLOCK_BYTES`. */
export function cutterOf(folder: SimulatedFolder, root: string, process: SimulatedProcess): Cutter {
  return new TaskCutter(new FolderTasks(folder, root, process), process.context.clock);
}

class FolderTasks implements CutTaskRunner {
  readonly threads = 1;

  constructor(
    private readonly folder: SimulatedFolder,
    private readonly root: string,
    private readonly process: SimulatedProcess,
  ) {}

  async cutSegment(task: SegmentTask): Promise<SegmentResult> {
    await this.#reading();
    const bytes = this.#stableBytes(task);
    if ('outcome' in bytes) return bytes;
    const chunks: CutChunk[] = [];
    const hashes: Buffer[] = [];
    const { startBytes } = task;
    let endBytes = startBytes;
    while (endBytes < Math.min(task.stopBytes, bytes.length)) {
      const data = ownCopy(bytes.subarray(endBytes, endBytes + LARGE_BLOCK_BYTES));
      hashes.push(hashBlockSync(data));
      chunks.push({ sizeBytes: data.length, data });
      endBytes += data.length;
    }
    const packed = ownCopy(Buffer.concat(hashes));
    return { outcome: 'cut', startBytes, endBytes, met: true, movedBytes: undefined, hashes: packed, chunks };
  }

  async cutSmallFiles({ requests }: SmallFilesTask): Promise<SmallFilesResult> {
    await this.#reading();
    const refusals: { index: number; refusal: FileRefusal }[] = [];
    const contents: Buffer[] = [];
    for (const [index, request] of requests.entries()) {
      const bytes = this.#stableBytes(request);
      if ('outcome' in bytes) refusals.push({ index, refusal: bytes });
      else if (bytes.length > 0) contents.push(bytes);
    }
    const hashes = ownCopy(Buffer.concat(contents.map(hashBlockSync), contents.length * HASH_BYTES));
    return { refusals, hashes, data: ownCopy(Buffer.concat(contents)) };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #reading(): Promise<void> {
    const { clock, random } = this.process.context;
    return clock.sleep(random.fraction() * READ_MS);
  }

  #stableBytes({ absolutePath, stamp }: Pick<CutRequest, 'absolutePath' | 'stamp'>): Buffer | FileRefusal {
    const entry = this.folder.entries.get(absolutePath.slice(this.root.length + 1) as ItemPath);
    if (entry === undefined) return { outcome: 'vanished', message: `${absolutePath} is gone` };
    if (entry.kind === 'file' && sameStamp(stampOf(entry), stamp)) return entry.bytes;
    return { outcome: 'unstable', message: `${absolutePath} changed while it was read` };
  }
}

function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}
