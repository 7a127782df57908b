import * as v from 'valibot';
import type { Clock } from '../common/clock.js';
import type { LastWord } from '../common/identity/offline-grace.js';
import { agentLimits } from '../common/limits.js';
import type { Logger } from '../common/logging.js';
import type { TextKeeper } from '../common/files/text-keeper.js';
import { KeptFile } from './kept-file.js';

const fileSchema = v.object({ heardAtMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) });

/** When metadata was last heard, kept in a file: an agent that starts while metadata is away still knows for how long. */
export class KeptLastWord implements LastWord {
  #keptAtMs: number | undefined;
  #keeping: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: KeptFile,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private heardAtMs: number | undefined,
  ) {
    this.#keptAtMs = heardAtMs;
  }

  /** Reads the file at `path`; none is the same as never. INTERNAL (STORE_FAILED) where it cannot be understood. */
  static async load(
    path: string,
    { clock, logger }: { clock: Clock; logger: Logger },
    keeper?: TextKeeper,
  ): Promise<KeptLastWord> {
    const parse = (json: unknown): number => v.parse(fileSchema, json).heardAtMs;
    const { file, value } = await KeptFile.load(path, 'for its word', parse, keeper);
    return new KeptLastWord(file, clock, logger, value);
  }

  get atMs(): number | undefined {
    return this.heardAtMs;
  }

  /** Milliseconds since metadata was last heard; undefined where it never was. */
  get ageMs(): number | undefined {
    return this.heardAtMs === undefined ? undefined : Math.max(0, this.clock.nowMs() - this.heardAtMs);
  }

  /** Metadata is heard now. In force at once; written down every `agentLimits.lastWordKeptMs`. */
  heard(): void {
    this.heardAtMs = this.clock.nowMs();
    const isKept = this.#keptAtMs !== undefined && this.heardAtMs - this.#keptAtMs < agentLimits.lastWordKeptMs;
    if (!isKept) void this.keep();
  }

  /** Writes it down; durable when the promise resolves, unless the disk does not take it. Never rejects. */
  keep(): Promise<void> {
    const { heardAtMs } = this;
    if (heardAtMs === undefined) return this.#keeping;
    this.#keptAtMs = heardAtMs;
    this.#keeping = this.#keeping
      .then(() => this.file.keep({ heardAtMs }))
      .catch((err: unknown) => {
        this.logger.error({ err }, `when metadata was last heard could not be kept in ${this.file.path}`);
      });
    return this.#keeping;
  }
}
