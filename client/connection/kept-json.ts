import { readFile } from 'node:fs/promises';
import { writeFileDurably } from '../../common/files/durable-file.js';

/**
 * A small file (JSON, 0600) in which a folder's state keeps what metadata last said, for a start while metadata is away. It
 * is no loss where it cannot be read: metadata says it again.
 */
export class KeptJson<T> {
  #text: string | undefined;

  /** @param parse throws where what it is given is not what was kept. */
  constructor(
    readonly path: string,
    private readonly parse: (json: unknown) => T,
  ) {}

  /** What the file holds; undefined where there is none, or one that cannot be understood. */
  async read(): Promise<T | undefined> {
    try {
      const text = await readFile(this.path, 'utf8');
      const value = this.parse(JSON.parse(text));
      this.#text = text;
      return value;
    } catch {
      return undefined;
    }
  }

  /** Writes `value` where the file does not hold it yet; durable when the promise resolves. To be called one at a time. */
  async keep(value: unknown): Promise<void> {
    const text = `${JSON.stringify(value)}\n`;
    if (text === this.#text) return;
    await writeFileDurably(this.path, text, 0o600);
    this.#text = text;
  }
}
