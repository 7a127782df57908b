import { readSync } from 'node:fs';
import { HASH_BYTES, hashBlockSync } from '../../common/block-hash.js';
import { readStable, ShortRead } from './stable-file.js';
import type { FileRefusal, SmallFilesResult, SmallFilesTask } from './cut-task.js';

/** Does one task on the calling thread: reads each file as one block and hashes it. */
export function cutSmallFiles({ requests }: SmallFilesTask): SmallFilesResult {
  const data = Buffer.allocUnsafeSlow(requests.reduce((total, { stamp }) => total + stamp.sizeBytes, 0));
  const hashes = Buffer.allocUnsafeSlow(requests.length * HASH_BYTES);
  const refusals: { index: number; refusal: FileRefusal }[] = [];
  let dataBytes = 0;
  let hashBytes = 0;
  for (const [index, request] of requests.entries()) {
    const content = data.subarray(dataBytes, dataBytes + request.stamp.sizeBytes);
    const result = readStable(request, (descriptor) => {
      readFully(descriptor, content);
      return { outcome: 'cut' } as const;
    });
    if (result.outcome !== 'cut') {
      refusals.push({ index, refusal: result });
    } else if (content.length > 0) {
      hashes.set(hashBlockSync(content), hashBytes);
      hashBytes += HASH_BYTES;
      dataBytes += content.length;
    }
  }
  return { refusals, hashes: hashes.subarray(0, hashBytes), data: data.subarray(0, dataBytes) };
}

function readFully(descriptor: number, into: Buffer): void {
  for (let filled = 0; filled < into.length;) {
    const readBytes = readSync(descriptor, into, filled, into.length - filled, filled);
    if (readBytes === 0) throw new ShortRead();
    filled += readBytes;
  }
}
