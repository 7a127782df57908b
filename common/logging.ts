import { pino, destination, type Logger } from 'pino';

export type { Logger } from 'pino';

/** How much a program says, from nothing to everything. */
export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const;

export type LogLevel = (typeof logLevels)[number];

/** A logger that writes one JSON object a line to standard error, so that standard output stays for results. */
export function createLogger(program: string, level: LogLevel): Logger {
  return pino(
    { base: { program }, level, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ dest: 2, sync: false }),
  );
}

/** A logger that says nothing, for tests and embedding. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
