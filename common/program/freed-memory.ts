/**
 * A little less than the largest piece of memory, 32 MiB, that the C library of Linux takes as a sign of what a program needs
 * (glibc's mallopt(3), "dynamic mmap threshold"): such a piece, freed, has it keep up to twice as much of what is freed later.
 */
export const signBytes = 32 * 1024 * 1024 - 64 * 1024;

/**
 * Has the C library keep the memory that a program frees, some tens of MiB of it, for what it needs next. By itself it gives
 * it back to the system after each transaction that has held a few large blocks, and every page of the next one is asked
 * for anew: that was a quarter of the processor time of an agent that stores a gigabyte. Elsewhere than with glibc it does
 * nothing. To be called once, before work begins.
 */
export function keepFreedMemory(): void {
  const sign: ArrayBuffer & { readonly transfer?: (bytes: number) => unknown } = new ArrayBuffer(signBytes);
  // Where there is a way to free it here and now (from Node 22 on); otherwise the next collection does.
  sign.transfer?.(0);
}
