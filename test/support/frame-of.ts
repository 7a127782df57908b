import type { LateMessage } from '../../common/rpc/late-message.js';

/** The bytes of a message, written as grpc-js has them written: into memory that was used before, and not at its start. */
export function frameOf(message: LateMessage): Buffer {
  const headerBytes = 5;
  const frame = Buffer.alloc(headerBytes + message.length, 0xa5);
  message.copy(frame, headerBytes);
  return frame.subarray(headerBytes);
}
