import type { Writable } from 'node:stream';
import type { DrystoneError } from '../../common/errors.js';

/** What may be a one-time token, whole or in part: a mistyped command line puts it where no token is looked for. */
const TOKEN_PATTERN = /\b(agent|device):([^:\s]{1,64}):[\w-]{16,}/g;

/** A stream that people or programs read; process.stdout and process.stderr are two. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

const DEFAULT_COLUMNS = 80;
const ERASE_LINE = '\r\u001B[2K';

/**
 * How a command speaks: results on standard output, as text or under `--json` as JSON; everything else on standard
 * error. Progress is one line that is drawn over again, on a terminal only.
 */
export class Terminal {
  #progressShown = false;

  constructor(
    private readonly output: OutputStream,
    private readonly errors: OutputStream,
    readonly json: boolean,
  ) {}

  /** The result of the command: one JSON document, or the text that `toText` makes of it. */
  result(document: unknown, toText: () => string): void {
    this.#clearProgress();
    const text = this.json ? JSON.stringify(document) : toText();
    if (text !== '') this.output.write(`${text}\n`);
  }

  /** Part of a result for people, as it comes; under `--json` nothing, since the document at the end has all of it. */
  say(text: string): void {
    if (this.json) return;
    this.#clearProgress();
    this.output.write(`${text}\n`);
  }

  /** One of a stream of events: a line of JSON, or `text` where people care. */
  event(event: { readonly event: string; readonly [fact: string]: unknown }, text?: string): void {
    const line = this.json ? JSON.stringify(event) : text;
    if (line === undefined) return;
    this.#clearProgress();
    this.output.write(`${line}\n`);
  }

  /** For a result that is bytes and not text. */
  get bytes(): Writable {
    this.#clearProgress();
    return this.output;
  }

  /** A line for people beside the results; under `--json` nothing. */
  note(text: string): void {
    if (this.json) return;
    this.#clearProgress();
    this.errors.write(`${text}\n`);
  }

  /** Whether progress is seen by anyone: nobody needs to make it otherwise. */
  get showsProgress(): boolean {
    return !this.json && this.errors.isTTY === true;
  }

  /** Draws the progress line over the last one; `toText` is told how wide it may be. */
  progress(toText: (columns: number) => string): void {
    if (!this.showsProgress) return;
    // Some terminals do not know how wide they are, and say 0.
    const columns = this.errors.columns === 0 ? undefined : this.errors.columns;
    this.errors.write(ERASE_LINE + toText((columns ?? DEFAULT_COLUMNS) - 1));
    this.#progressShown = true;
  }

  /** Why the command failed: one line for people, or one JSON document; never with a one-time token in it. */
  error(error: DrystoneError): void {
    this.#clearProgress();
    const { code, reason, message, details } = error;
    const text = this.json ? JSON.stringify({ error: { code, reason, message, details } }) : `drystone: ${message}`;
    this.errors.write(`${withoutTokens(text)}\n`);
  }

  #clearProgress(): void {
    if (!this.#progressShown) return;
    this.errors.write(ERASE_LINE);
    this.#progressShown = false;
  }
}

function withoutTokens(text: string): string {
  return text.replace(TOKEN_PATTERN, '$1:$2:…');
}
