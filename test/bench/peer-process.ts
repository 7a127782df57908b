import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program of the benches in a process of its own. */
export interface PeerProcess {
  readonly pid: number;
  /** The first line that it printed: where it listens, or whatever it has to say when it is ready. */
  readonly greeting: string;
  /** The lines that it prints after that. */
  readonly lines: AsyncIterator<string>;
  /** Says a line to its standard input. */
  say(line: string): void;
  end(): Promise<void>;
}

/** Starts the program at `file` and waits for its first line. */
export async function startPeer(file: URL, args: readonly string[] = []): Promise<PeerProcess> {
  const child = spawn(process.execPath, [fileURLToPath(file), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done === true) throw new Error(`${file.pathname} ended before it was ready`);
  return {
    pid: child.pid ?? 0,
    greeting: first.value,
    lines,
    say: (line) => child.stdin.write(`${line}\n`),
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
