/** A block: 1 byte to 4 MiB of content, and the SHA-256 that names it. */
export interface Block {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly data: Uint8Array;
}
