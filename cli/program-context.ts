import { systemClock } from '../common/clock.js';
import { createLogger, type LogLevel } from '../common/logging.js';
import type { ProgramContext } from '../common/program/context.js';
import { systemRandom } from '../common/random.js';

/** What a program of this process is handed: the machine's time and chance, a log on standard error. */
export function createProgramContext(program: string, logLevel: LogLevel): ProgramContext {
  return {
    clock: systemClock,
    random: systemRandom,
    logger: createLogger(program, logLevel),
  };
}
