import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { hashBlock } from '../../common/block-hash.js';
import { DrystoneError } from '../../common/errors.js';

/** Where a block was cut. */
export interface CutPlace {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** Reads a block where it was cut; see {@link readBlock}. */
export type ReadBlock = (absolutePath: string, place: CutPlace) => Promise<Buffer>;

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The bytes of a block that was cut from a file without being kept. Raises ABORTED (FILE_UNSTABLE) where they are no
 * longer there.
 */
export async function readBlock(absolutePath: string, { hash, offsetBytes, sizeBytes }: CutPlace): Promise<Buffer> {
  const data = await readAt(absolutePath, offsetBytes, sizeBytes).catch(() => undefined);
  if (data !== undefined && (await hashBlock(data)).equals(hash)) return data;
  throw new DrystoneError('ABORTED', 'FILE_UNSTABLE', `${absolutePath} changed while it was uploaded`);
}

/** What lies there; fewer bytes where the file ends before. */
async function readAt(absolutePath: string, offsetBytes: number, sizeBytes: number): Promise<Buffer> {
  const handle = await open(absolutePath, FLAGS);
  try {
    const data = Buffer.allocUnsafeSlow(sizeBytes);
    let filled = 0;
    for (let got = -1; filled < sizeBytes && got !== 0; filled += got) {
      got = (await handle.read(data, filled, sizeBytes - filled, offsetBytes + filled)).bytesRead;
    }
    return data.subarray(0, filled);
  } finally {
    await handle.close();
  }
}
