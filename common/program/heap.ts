import { setFlagsFromString } from 'node:v8';

/** The old generation may grow to five times what survived the last full collection. */
export const heapGrowthFlag = '--heap-growing-percent=400';

/**
 * Lets the heap of a program that moves blocks outgrow what is alive before all of it is collected. V8 counts the buffers
 * of blocks on their way, some 16 MiB between two small collections, against the little room that a small heap gets, and
 * would collect all of it sixty times for each GiB moved, which costs a fifth to a half of the throughput. What is alive
 * is a few tens of MiB, so this still bounds the heap. To be called once, before work begins.
 */
export function allowHeapGrowth(): void {
  setFlagsFromString(heapGrowthFlag);
}
