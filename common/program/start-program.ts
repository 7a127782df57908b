import type { RunningProgram } from './context.js';

/** Says what has to be done when the program stops; the last said is done first. */
export type OnStop = (step: () => Promise<void>) => void;

/**
 * Starts a program whose parts `open` opens one after the other, telling `onStop` how to close each. What it answers is
 * what there is to know of the running program. Where `open` throws, what it has opened is closed, and nothing stays open.
 */
export async function startProgram<Facts extends Omit<RunningProgram, 'stop'>>(
  open: (onStop: OnStop) => Promise<Facts>,
): Promise<Facts & Pick<RunningProgram, 'stop'>> {
  const steps: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of steps.splice(0).reverse()) await step();
  };
  try {
    const facts = await open((step) => steps.push(step));
    let stopped: Promise<void> | undefined;
    return {
      ...facts,
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
