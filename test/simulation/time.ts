/** When every simulated world begins: milliseconds since 1970 UTC. */
export const BEGINNING_MS = 1_700_000_100_000;

interface Event {
  readonly atMs: number;
  /** Of events at one moment the one that was planned first happens first. */
  readonly order: number;
  /** Undefined once it was called off. */
  happen: (() => void) | undefined;
}

/**
 * The time of a simulated world: a queue of events. It moves from one event to the next when all that the last one set off
 * is done, however long that takes the machine.
 */
export class SimulatedTime {
  readonly #heap: Event[] = [];
  #nowMs = BEGINNING_MS;
  #planned = 0;
  #happened = 0;

  /** Milliseconds since 1970 UTC. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have happened. */
  get eventCount(): number {
    return this.#happened;
  }

  /** Plans an event; call the result to call it off. */
  after(delayMs: number, happen: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#planned++, happen };
    this.#push(event);
    return () => {
      event.happen = undefined;
    };
  }

  /** Lets time pass until `untilMs`. */
  async passUntil(untilMs: number): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (next.happen === undefined) continue;
      this.#nowMs = next.atMs;
      this.#happened++;
      next.happen();
      await consequences();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above]!;
      if (isBefore(parent, event)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const smaller = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
      const child = heap[smaller]!;
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = smaller;
    }
    heap[index] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/**
 * Everything that is set off without time passing: microtasks, and what the programs put off to the next turn of the event
 * loop. Two turns, because in the first one their turn comes after ours.
 */
async function consequences(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
