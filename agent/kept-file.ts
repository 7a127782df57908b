import { DrystoneError } from '../common/errors.js';
import { durableTexts, type TextKeeper } from '../common/files/text-keeper.js';

/** What a file holds, and the file. */
export interface Kept<T> {
  readonly file: KeptFile;
  /** Undefined where there is no file yet. */
  readonly value: T | undefined;
}

/** A small file (JSON, 0600) that keeps what metadata last said: an agent that starts while metadata is away goes by it. */
export class KeptFile {
  private constructor(
    readonly path: string,
    /** What the file holds. */
    private text: string | undefined,
    private readonly keeper: TextKeeper,
  ) {}

  /**
   * Reads the file at `path`. INTERNAL (STORE_FAILED) where `parse` throws or it is no JSON.
   *
   * @param what what it keeps, as errors call it: "its assignments"
   */
  static async load<T>(
    path: string,
    what: string,
    parse: (json: unknown) => T,
    keeper: TextKeeper = durableTexts,
  ): Promise<Kept<T>> {
    const text = await keeper.read(path);
    const file = new KeptFile(path, text, keeper);
    if (text === undefined) return { file, value: undefined };
    try {
      return { file, value: parse(JSON.parse(text)) };
    } catch (cause) {
      const message = `${path} is damaged; delete it, and the agent asks metadata for ${what}`;
      throw new DrystoneError('INTERNAL', 'STORE_FAILED', message, {}, { cause });
    }
  }

  /** Writes `value` where the file does not hold it yet; durable when the promise resolves. To be called one at a time. */
  async keep(value: unknown): Promise<void> {
    const text = `${JSON.stringify(value, undefined, 2)}\n`;
    if (text === this.text) return;
    await this.keeper.write(this.path, text);
    this.text = text;
  }
}
