import { createHash } from 'node:crypto';

/** How many of the last lines are kept to be shown. */
const LINES_KEPT = 400;

/** What happened in a simulated world, line by line. Two runs of one seed have the same trace, or the simulation is broken. */
export class Trace {
  readonly #hash = createHash('sha256');
  readonly #last: string[] = [];
  #lines = 0;

  /** @param onLine told every line, where somebody watches. */
  constructor(private readonly onLine?: (line: string) => void) {}

  /** Lines so far. */
  get lineCount(): number {
    return this.#lines;
  }

  note(atMs: number, text: string): void {
    const line = `${atMs} ${text}`;
    this.#lines++;
    this.#hash.update(line).update('\n');
    this.#last.push(line);
    if (this.#last.length > 2 * LINES_KEPT) this.#last.splice(0, LINES_KEPT);
    this.onLine?.(line);
  }

  /** The last lines, the oldest first. */
  lastLines(): readonly string[] {
    return this.#last.slice(-LINES_KEPT);
  }

  /** SHA-256 of all lines, in hexadecimal. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
