import { fileURLToPath } from 'node:url';
import type { ChildEvent, ChildProgram } from './child-program.js';

/** What Node runs as a line. */
export const LINE_PROGRAM = fileURLToPath(new URL('./line-program.js', import.meta.url));

/** Starts a line that listens at one address and leads to another. */
export type StartLine = (listen: string, target: string) => Promise<{ program: ChildProgram; event: ChildEvent }>;

/** The only way from a site to the metadata service. */
export class WanLine {
  private constructor(
    /** HOST:PORT, at which the site reaches the metadata service; the same after a cut. */
    readonly address: string,
    private readonly target: string,
    private readonly startLine: StartLine,
    private running: ChildProgram,
  ) {}

  /** The process that it is now: another one after a cut. */
  get program(): ChildProgram {
    return this.running;
  }

  /** Lays a line to `target`. */
  static async lay(target: string, startLine: StartLine): Promise<WanLine> {
    const { program, event } = await startLine('127.0.0.1:0', target);
    return new WanLine(String(event.address), target, startLine, program);
  }

  /** From now on the site is on its own: connections break, and no new one is made. */
  async cut(): Promise<void> {
    await this.running.stop();
  }

  async mend(): Promise<void> {
    this.running = (await this.startLine(this.address, this.target)).program;
  }
}
