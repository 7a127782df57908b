/** The warnings that Node would print of what happens in `work`. */
export async function warningsDuring(work: () => Promise<void>): Promise<string[]> {
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', note);
  try {
    await work();
    // They are told in the next turn.
    await new Promise(setImmediate);
  } finally {
    process.off('warning', note);
  }
  return warnings;
}
