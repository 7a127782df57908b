import { constants } from 'node:os';
import { cancelled } from '../common/errors.js';

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const SIGNAL_EXIT_BASE = 128;

/** What the user or the system wants of this process. */
export interface EndRequest {
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** The signal that came, if one has. */
  received(): (typeof ENDING_SIGNALS)[number] | undefined;
}

/** Listens for SIGINT and SIGTERM: the first asks the command to end in good order, a second ends it where it stands. */
export function listenForEnd(): EndRequest {
  const controller = new AbortController();
  let received: (typeof ENDING_SIGNALS)[number] | undefined;
  for (const name of ENDING_SIGNALS) {
    process.on(name, () => {
      if (received !== undefined) process.exit(SIGNAL_EXIT_BASE + constants.signals[name]);
      received = name;
      controller.abort();
    });
  }
  return { signal: controller.signal, received: () => received };
}

/** Resolves when `signal` aborts, at once if it has. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Rejects with CANCELLED when `signal` aborts: to race against what takes no signal itself. */
export async function failWhenAborted(signal: AbortSignal): Promise<never> {
  await untilAborted(signal);
  throw cancelled('the command');
}
