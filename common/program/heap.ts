import { setFlagsFromString } from 'node:v8';

/** How far the old generation may outgrow what survived the last full collection, in percent. */
const GROWTH_PERCENT = 400;

/**
 * Lets the heap of a program that moves blocks grow to five times what is alive before all of it is collected. V8 counts
 * the buffers of blocks on their way, 16 MiB between two small collections, against the room that a small heap gets, and
 * collects all of it sixty times for each GiB moved, which costs a fifth of the throughput. What is alive is a few tens
 * of MiB, so this bounds the heap well below the limits in docs/operations.md. To be called once, before work begins.
 */
export function allowHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
