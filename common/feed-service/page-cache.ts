import type { EncodedPage } from './encoded-page.js';

/** What a page costs beside its bytes: keys, promise and map entries. Without it a million tiny pages would look free. */
const OVERHEAD_BYTES = 512;

/**
 * The pages that were read last, at most so many bytes of them. Subscribers that stand at the same place share one read
 * and one encoding, also while it is under way.
 */
export class PageCache {
  /** In the order of their last use, the oldest first. */
  readonly #pages = new Map<string, Promise<EncodedPage>>();
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  constructor(readonly capacityBytes: number) {}

  /** Bytes of the pages held, and of holding them. */
  get usedBytes(): number {
    return this.#bytes;
  }

  /** The page under `key`, read by `read` where it is not here. A failed read is not kept. */
  async get(key: string, read: () => Promise<EncodedPage>): Promise<EncodedPage> {
    const held = this.#pages.get(key);
    if (held !== undefined) {
      this.#pages.delete(key);
      this.#pages.set(key, held);
      return held;
    }
    const reading = read();
    this.#pages.set(key, reading);
    try {
      const page = await reading;
      this.#account(key, page.bytes.length + OVERHEAD_BYTES);
      return page;
    } catch (thrown) {
      this.#pages.delete(key);
      throw thrown;
    }
  }

  #account(key: string, bytes: number): void {
    this.#sizes.set(key, bytes);
    this.#bytes += bytes;
    for (const oldest of this.#pages.keys()) {
      if (this.#bytes <= this.capacityBytes) return;
      // One that is still being read has no size yet, and others wait for it.
      const size = this.#sizes.get(oldest);
      if (size === undefined) continue;
      this.#pages.delete(oldest);
      this.#sizes.delete(oldest);
      this.#bytes -= size;
    }
  }
}
