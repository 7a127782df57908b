import { ChangeSignal } from '../../../common/concurrency/change-signal.js';
import { cancelled } from '../../../common/errors.js';
import { clientLimits } from '../../../common/limits.js';
import { PendingChanges, type ChangeHint } from '../../../client/observe/pending-changes.js';
import type { FolderWatch } from '../../../client/observe/folder-sight.js';
import type { SimulatedProcess } from '../process.js';
import type { SimulatedFolder } from './folder.js';

/** The longest that the system takes to tell of a change. */
const NOTICE_MS = 30;
/** How often it lost something and says so. */
const OVERFLOW_SHARE = 0.01;

/** The watcher of a simulated folder: it tells of every change, of what the program did itself as well, a little late. */
export class SimulatedWatch implements FolderWatch {
  readonly #changed = new ChangeSignal();
  readonly #pending: PendingChanges;
  #lastEverythingMs: number;

  constructor(
    folder: SimulatedFolder,
    private readonly process: SimulatedProcess,
  ) {
    const { clock, random } = process.context;
    this.#pending = new PendingChanges(clock);
    this.#lastEverythingMs = clock.monotonicMs();
    folder.watch((path) => {
      if (!process.isAlive) return;
      const isLost = random.fraction() < OVERFLOW_SHARE;
      process.after(random.fraction() * NOTICE_MS, () => {
        if (isLost) this.#pending.addEverything('the system lost events');
        else this.#pending.add(path);
        this.#changed.notify();
      });
    });
  }

  async next(signal: AbortSignal): Promise<ChangeHint> {
    const { clock } = this.process.context;
    for (;;) {
      if (signal.aborted) throw cancelled('watching the folder');
      const settledMs = this.#pending.settledInMs();
      const waitMs = settledMs ?? this.#lastEverythingMs + clientLimits.fullScanIntervalMs - clock.monotonicMs();
      if (waitMs <= 0) return this.#take();
      const waiting = new AbortController();
      const end = (): void => waiting.abort();
      signal.addEventListener('abort', end, { once: true });
      if (settledMs === undefined) void this.#changed.arm(waiting.signal).then(end);
      await clock.sleep(waitMs, waiting.signal).catch(() => undefined);
      signal.removeEventListener('abort', end);
      waiting.abort();
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #take(): ChangeHint {
    const hint = this.#pending.take() ?? { kind: 'everything', because: 'it is time for a full scan' };
    if (hint.kind === 'everything') this.#lastEverythingMs = this.process.context.clock.monotonicMs();
    return hint;
  }
}
