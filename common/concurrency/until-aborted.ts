/**
 * The result of `promise`, or undefined as soon as `signal` aborts; what the promise then becomes is dropped. Unlike
 * `Promise.race` with a promise made from the signal it leaves nothing behind on a signal that lives long.
 */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(undefined);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
