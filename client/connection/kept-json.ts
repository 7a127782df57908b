import type { TextKeeper } from '../../common/files/text-keeper.js';

/**
 * A small text in which a folder's state keeps what metadata last said, as JSON, for a start while metadata is away. It is no
 * loss where it cannot be read: metadata says it again.
 */
export class KeptJson<T> {
  #text: string | undefined;

  /** @param parse throws where what it is given is not what was kept. */
  constructor(
    private readonly texts: TextKeeper,
    private readonly path: string,
    private readonly parse: (json: unknown) => T,
  ) {}

  /** What was kept; undefined where nothing was, or nothing that can be understood. */
  async read(): Promise<T | undefined> {
    try {
      const text = await this.texts.read(this.path);
      if (text === undefined) return undefined;
      const value = this.parse(JSON.parse(text));
      this.#text = text;
      return value;
    } catch {
      return undefined;
    }
  }

  /** Writes `value` where it is not what is kept already; durable when the promise resolves. To be called one at a time. */
  async keep(value: unknown): Promise<void> {
    const text = `${JSON.stringify(value)}\n`;
    if (text === this.#text) return;
    await this.texts.write(this.path, text);
    this.#text = text;
  }
}
