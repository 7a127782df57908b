/** Smaller ones are cheap to leave to V8, and dearer to move than to copy. */
const LEAST_BYTES = 64 * 1024;

/**
 * Gives the memory of `bytes` back now rather than at V8's leisure; afterwards they are none. For whoever owns them and
 * knows that nobody will read them again. Bytes that share their memory with others, and few, are left alone.
 *
 * A buffer that has lived through two small collections is freed only by one of the whole heap. Blocks on their way are
 * just that old, so V8 would let 64 MiB of dead ones come together, collect everything, and begin again.
 */
export function freeBytes(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer) || byteLength < LEAST_BYTES || byteLength < buffer.byteLength) return;
  // Moving takes the memory from its old owner to a new one, which the next small collection finds dead.
  structuredClone(buffer, { transfer: [buffer] });
}
