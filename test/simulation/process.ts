import { Registry } from 'prom-client';
import type { Clock } from '../../common/clock.js';
import { silentLogger } from '../../common/logging.js';
import type { ServerContext } from '../../common/program/context.js';
import type { Random } from '../../common/random.js';
import type { SimulatedTime } from './time.js';
import type { Trace } from './trace.js';

/** How a program ends: killed, or by the loss of power, which takes what was not synced along. */
export type Crash = 'kill' | 'power cut';

/** What all programs of a world have in common. */
export interface World {
  readonly time: SimulatedTime;
  readonly trace: Trace;
  readonly random: Random;
}

const logger = silentLogger();

/** One for all: what they are made of costs more than what they tell. */
const ABORTED = Object.assign(new Error('The operation was aborted'), { name: 'AbortError' });

/** The longest that a disk takes for one durable step. */
const STEP_MS = 4;

/**
 * One program from its start to its crash. A program that has crashed does nothing any more: what it waits for never
 * comes, and what it sends goes nowhere. It leaves no finally-block behind that would tidy up, as no killed process does.
 */
export class SimulatedProcess {
  readonly context: ServerContext;
  #crashed: Crash | undefined;
  #stepsLeft = Infinity;
  #crashAtStep: Crash = 'kill';
  readonly #sleeping = new Set<object>();

  /**
   * @param skewMs how far its calendar is from the world's
   * @param onCrash called once, at the moment of the crash
   */
  constructor(
    readonly name: string,
    readonly world: World,
    skewMs: number,
    private readonly onCrash: (crash: Crash) => void,
  ) {
    this.context = { clock: this.#clock(skewMs), random: world.random, logger, registry: new Registry() };
  }

  get isAlive(): boolean {
    return this.#crashed === undefined;
  }

  /** Sleeps that are under way. */
  get sleepCount(): number {
    return this.#sleeping.size;
  }

  note(text: string): void {
    this.world.trace.note(this.world.time.nowMs, `${this.name}: ${text}`);
  }

  /** As SimulatedTime.after, for as long as the program lives. */
  after(delayMs: number, happen: () => void): () => void {
    return this.world.time.after(delayMs, () => {
      if (this.isAlive) happen();
    });
  }

  /** A moment at which a crash can come. Resolves at once, or never. */
  moment(name: string): Promise<void> {
    this.note(name);
    if (this.isAlive && --this.#stepsLeft <= 0) this.crash(this.#crashAtStep);
    return this.isAlive ? Promise.resolve() : never();
  }

  /** A step is done that a crash can come after. Resolves a little later, or never. */
  async step(name: string): Promise<void> {
    await this.moment(name);
    await new Promise<void>((resolve) => void this.after(this.world.random.fraction() * STEP_MS, resolve));
  }

  /** Has the program crash at the so-manieth step or moment from now. */
  crashAfterSteps(steps: number, crash: Crash): void {
    this.#stepsLeft = steps;
    this.#crashAtStep = crash;
  }

  crash(crash: Crash): void {
    if (!this.isAlive) return;
    this.note(crash);
    this.#crashed = crash;
    this.onCrash(crash);
  }

  #clock(skewMs: number): Clock {
    const { time } = this.world;
    return {
      nowMs: () => Math.floor(time.nowMs + skewMs),
      monotonicMs: () => time.nowMs,
      sleep: (durationMs, signal) =>
        new Promise((resolve, reject) => {
          const sleep = {};
          const end = (settle: () => void): void => {
            this.#sleeping.delete(sleep);
            wake();
            signal?.removeEventListener('abort', onAbort);
            settle();
          };
          const onAbort = (): void => end(() => reject(ABORTED));
          const wake = this.after(durationMs, () => end(resolve));
          this.#sleeping.add(sleep);
          if (signal?.aborted === true) onAbort();
          else signal?.addEventListener('abort', onAbort, { once: true });
        }),
    };
  }
}

/** What a program waits for that has crashed. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
