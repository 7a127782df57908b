/**
 * Runs parts of one job side by side. The first to fail ends the others by the signal that all are given, and its error
 * is raised once every part has settled. `signal` ends all of them as well.
 */
export async function runTogether(
  signal: AbortSignal,
  parts: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const together = new AbortController();
  const errors: unknown[] = [];
  const fail = (thrown: unknown): void => {
    errors.push(thrown);
    together.abort(thrown);
  };
  const onAbort = (): void => fail(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.all(parts.map((part) => part(together.signal).catch(fail)));
  signal.removeEventListener('abort', onAbort);
  if (errors.length > 0) throw errors[0];
}
