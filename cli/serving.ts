import { Registry } from 'prom-client';
import type { LogLevel } from '../common/logging.js';
import type { RunningProgram, ServerContext } from '../common/program/context.js';
import type { Terminal } from './output/terminal.js';
import { createProgramContext } from './program-context.js';
import { untilAborted } from './signals.js';

/** What a program that has just come up has to say beside where it listens. */
export interface Announcement {
  /** Further facts of the event `listening`. */
  readonly facts: Readonly<Record<string, string>>;
  /** For people. */
  readonly text: string;
}

/**
 * Starts a program that serves, says where it listens once it does, and drains it when the user wants it to end.
 * Events under `--json`: `listening` (`address` and `http`, HOST:PORT; `pid`; what `announce` adds), `draining`, `stopped`.
 */
export async function serveUntilEnd<Program extends RunningProgram>(
  program: string,
  logLevel: LogLevel | undefined,
  terminal: Terminal,
  signal: AbortSignal,
  start: (context: ServerContext) => Promise<Program>,
  announce?: (running: Program) => Announcement | undefined,
): Promise<void> {
  const running = await start({ ...createProgramContext(program, logLevel ?? 'info'), registry: new Registry() });
  const { address, httpAddress: http } = running;
  const announced = announce?.(running);
  const metrics = http === undefined ? '' : `, metrics at http://${http}/metrics`;
  const listening = { event: 'listening', program, address, http, pid: process.pid, ...announced?.facts };
  const more = announced === undefined ? '' : `\n${announced.text}`;
  terminal.event(listening, `${program} listens on ${address}${metrics}${more}`);
  await untilAborted(signal);
  terminal.event({ event: 'draining' }, `${program} finishes what it has begun; a second signal ends it at once`);
  await running.stop();
  terminal.event({ event: 'stopped' }, `${program} has stopped`);
}
