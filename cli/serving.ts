import type { LogLevel } from '../common/logging.js';
import type { ProgramContext, RunningProgram } from '../common/program/context.js';
import type { Terminal } from './output/terminal.js';
import { createProgramContext } from './program-context.js';
import { untilAborted } from './signals.js';

/**
 * Starts a program that serves, says where it listens once it does, and drains it when the user wants it to end.
 * Events under `--json`: `listening` (`address` and `http`, HOST:PORT; `pid`), `draining`, `stopped`.
 */
export async function serveUntilEnd(
  program: string,
  logLevel: LogLevel | undefined,
  terminal: Terminal,
  signal: AbortSignal,
  start: (context: ProgramContext) => Promise<RunningProgram>,
): Promise<void> {
  const running = await start(createProgramContext(program, logLevel ?? 'info'));
  const { address, httpAddress: http } = running;
  const metrics = http === undefined ? '' : `, metrics at http://${http}/metrics`;
  const listening = { event: 'listening', program, address, http, pid: process.pid };
  terminal.event(listening, `${program} listens on ${address}${metrics}`);
  await untilAborted(signal);
  terminal.event({ event: 'draining' }, `${program} finishes what it has begun; a second signal ends it at once`);
  await running.stop();
  terminal.event({ event: 'stopped' }, `${program} has stopped`);
}
