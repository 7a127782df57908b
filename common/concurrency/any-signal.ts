/** What each signal was made of, for as long as it lives. */
const sources = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/**
 * A signal that aborts with the first of `signals`; where several have aborted it may have the reason of any.
 * `AbortSignal.any` of Node 24 asks its sources when somebody looks, and holds them weakly: of a source that has aborted and
 * was let go of meanwhile the result would never hear, and what it was to end would go on. Here a result keeps its sources.
 */
export function anySignal(signals: readonly AbortSignal[]): AbortSignal {
  const any = AbortSignal.any([...signals]);
  sources.set(any, signals);
  return any;
}
