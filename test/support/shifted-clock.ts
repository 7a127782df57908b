import { systemClock, type Clock } from '../../common/clock.js';

/** The machine's clock as one that is wrong shows it; what sleeps by it sleeps as long as it should. */
export class ShiftedClock implements Clock {
  /** How far it is ahead. */
  shiftMs = 0;

  nowMs(): number {
    return systemClock.nowMs() + this.shiftMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs, signal);
  }
}
