import type { BlockStore } from '../server/block-store.js';
import { statfs } from 'node:fs/promises';

/** What an agent reports of itself with each heartbeat; bytes and counts. */
export interface Capacity {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeFloorBytes: number;
  readonly blockCount: number;
  readonly blockBytes: number;
}

/** Looks at the disk that holds `path` and at the store on it. */
export async function readCapacity(path: string, store: BlockStore, freeFloorBytes: number): Promise<Capacity> {
  const [disk, stats] = await Promise.all([statfs(path), store.stats()]);
  return {
    freeBytes: disk.bavail * disk.bsize,
    totalBytes: disk.blocks * disk.bsize,
    freeFloorBytes,
    blockCount: stats.blocks,
    blockBytes: stats.bytes,
  };
}
