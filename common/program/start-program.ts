import type { RunningProgram } from './context.js';

/** Says what has to be done when the program stops; the last said is done first. */
export type OnStop = (step: () => Promise<void>) => void;

/**
 * Starts a program whose parts `open` opens one after the other, telling `onStop` how to close each. Where `open` throws,
 * what it has opened is closed, and nothing stays open.
 */
export async function startProgram(
  open: (onStop: OnStop) => Promise<Omit<RunningProgram, 'stop'>>,
): Promise<RunningProgram> {
  const steps: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of steps.splice(0).reverse()) await step();
  };
  try {
    const addresses = await open((step) => steps.push(step));
    let stopped: Promise<void> | undefined;
    return {
      ...addresses,
      stop() {
        stopped ??= close();
        return stopped;
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
