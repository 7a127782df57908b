/**
 * Applies `work` to the values of `source`, working up to `ahead` values ahead of the consumer, and yields the results in
 * the order of the values. An error of the source or of `work` is raised in its place; nothing after it is yielded.
 *
 * The source must bear that its next value is asked for before it has given the last one, as every generator does.
 * Leaving the iteration early asks the source to end, without waiting for it: a source that can wait for long must end by
 * a signal of its own. Results not yet consumed are dropped.
 */
export async function* mapAhead<T, R>(
  source: AsyncIterable<T>,
  ahead: number,
  work: (value: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const values = source[Symbol.asyncIterator]();
  const results: Promise<{ readonly result: R } | undefined>[] = [];
  const startNext = (): void => {
    const result = values
      .next()
      .then(async (next) => (next.done === true ? undefined : { result: await work(next.value) }));
    // Raised when its turn comes; until then, or where the consumer leaves before, nobody listens to it.
    result.catch(() => undefined);
    results.push(result);
  };
  try {
    for (let started = 0; started < ahead; started++) startNext();
    for (let first = results.shift(); first !== undefined; first = results.shift()) {
      const settled = await first;
      if (settled === undefined) return;
      startNext();
      yield settled.result;
    }
  } finally {
    values.return?.(undefined).catch(() => undefined);
  }
}
