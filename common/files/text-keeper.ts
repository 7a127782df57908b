import { readFile } from 'node:fs/promises';
import { writeFileDurably } from './durable-file.js';

/** Where small texts are kept from one start of a program to the next. */
export interface TextKeeper {
  /** Undefined where none was written. */
  read(path: string): Promise<string | undefined>;
  /** Durable when it resolves: a crash leaves the text before it or this one, whole. */
  write(path: string, text: string): Promise<void>;
}

/** Texts in files that only their owner may read (0600). */
export const durableTexts: TextKeeper = {
  async read(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
      return undefined;
    }
  },
  write: (path, text) => writeFileDurably(path, text, 0o600),
};
