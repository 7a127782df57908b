/** Everything that `source` yields. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

/** `values`, one by one. */
export async function* streamOf<T>(...values: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* values;
}

/** A promise and the means to settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** What `work` rejects with; fails where it does not. */
export async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => Promise.reject(new Error(`expected a rejection, got ${String(value)}`)),
    (error: unknown) => error,
  );
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** For tests of what must not happen: lets it happen for a while. */
export async function quietFor(durationMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** Calls `action` with everything that `source` yields, one after the other. */
export async function forEach<T>(source: AsyncIterable<T>, action: (value: T) => void | Promise<void>): Promise<void> {
  for await (const value of source) await action(value);
}

/** The first value that `source` yields; the source is left then. */
export async function firstOf<T>(source: AsyncIterable<T>): Promise<T | undefined> {
  for await (const value of source) return value;
  return undefined;
}

/** Calls `listener` when `signal` aborts, or now where it has. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): void {
  if (signal !== undefined) void aborted(signal).then(listener);
}
