import type { RetryOptions } from '../../common/concurrency/retry.js';
import type { DrystoneError } from '../../common/errors.js';
import { retryLimits } from '../../common/limits.js';
import type { ProgramContext } from '../../common/program/context.js';
import type { ProgressReporter } from './progress-reporter.js';

export interface RetryingParts {
  readonly context: ProgramContext;
  readonly once: boolean;
  readonly reporter: ProgressReporter;
}

/** How a sync repeats its calls: for ever, unless it runs once; each failure is reported. */
export function retryingOf({ context, once, reporter }: RetryingParts, signal: AbortSignal): RetryOptions {
  const { clock, random } = context;
  const onRetry = (error: DrystoneError, delayMs: number): void => reporter.waiting(error.message, delayMs);
  return { clock, random, signal, attempts: once ? retryLimits.attempts : Infinity, onRetry };
}
