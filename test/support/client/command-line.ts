import { PassThrough, Readable } from 'node:stream';
import { runCli } from '../../../cli/run-cli.js';

/** How a command ended, and all that it said. */
export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** What surrounds a command. */
export interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>;
  /** What it finds on standard input. */
  readonly input?: string;
}

/** Runs the command line in this process, as a user whose home is `home`. */
export async function runCommand(home: string, args: readonly string[], around: Surroundings = {}): Promise<Ran> {
  const output = new PassThrough();
  const errors = new PassThrough();
  const code = await runCli(args, {
    input: Readable.from([around.input ?? '']),
    output,
    errors,
    environment: { HOME: home, ...around.environment },
    end: { signal: new AbortController().signal, received: () => undefined },
  });
  return { code, output: String(output.read() ?? ''), errors: String(errors.read() ?? '') };
}
