/** The middle of `samples`; of an even number the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** The value below which the share `fraction` of `samples` lies, interpolated between neighbours. */
export function percentile(samples: readonly number[], fraction: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new Error('no samples');
  return below + (above - below) * (position - Math.floor(position));
}

/** `12.3 (11.9 – 14.0)`: the median and the extremes. */
export function spread(samples: readonly number[]): string {
  return `${show(median(samples))} (${show(Math.min(...samples))} – ${show(Math.max(...samples))})`;
}

/** A number with three significant digits, and no fewer than its whole part has. */
export function show(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

/** A subject of a comparison: measures itself once and returns the figure. */
export type Subject = () => Promise<number>;

/**
 * Measures every subject `runs` times, taking turns (A B A B …): the machine's speed drifts, and so does that of its
 * disk, and only neighbours in time can be compared. Returns the samples by subject.
 */
export async function takeTurns<Name extends string>(
  runs: number,
  subjects: Readonly<Record<Name, Subject>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(subjects) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let run = 0; run < runs; run++) {
    for (const name of names) samples[name].push(await subjects[name]());
  }
  return samples;
}

/** Seconds that `work` took. */
export async function secondsOf(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}
