/**
 * A serialized message that is written when it is sent: grpc-js makes a frame of its own for every message and has the
 * message copy itself into it, so a large one that writes itself there is spared a buffer of its size and one copy.
 *
 * grpc-js asks nothing of a serialized message but its length and this copy. Its version is pinned exactly, and every test
 * that moves blocks fails when that changes. What the message is made of must not change before it is sent.
 */
export class LateMessage {
  /**
   * @param length in bytes.
   * @param write writes exactly so many bytes into `frame` from `start`, and returns where they end.
   */
  constructor(
    readonly length: number,
    private readonly write: (frame: Buffer, start: number) => number,
  ) {}

  get byteLength(): number {
    return this.length;
  }

  /** Writes the message into `frame` and returns its length, as `Buffer.copy` does. */
  copy(frame: Buffer, start = 0): number {
    const written = this.write(frame, start) - start;
    // The frame is memory that was used before: what is not written over would be told to the other side.
    if (written !== this.length) throw new Error(`a message of ${this.length} bytes was written with ${written}`);
    return written;
  }
}
