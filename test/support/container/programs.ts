import {
  GenericContainer,
  getContainerRuntimeClient,
  Wait,
  type StartedNetwork,
  type StartedTestContainer,
} from 'testcontainers';

/** The image under test, which `npm run image` builds of ops/docker/Dockerfile. */
const IMAGE = process.env.DRYSTONE_IMAGE ?? 'drystone';

const MAIN = '/opt/drystone/dist/cli/main.js';
/** Long enough for a busy machine; it only bounds a start that fails. */
const STARTUP_MS = 120_000;

/** What a command in a container left. */
export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** How a program is put into a container. */
export interface ProgramOptions {
  readonly network: StartedNetwork;
  /** What it is called in its networks. */
  readonly alias: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What its output says when it is ready. */
  readonly ready: RegExp;
  /** Run by the shell before the program, in the same container. */
  readonly before?: string;
  /** A small disk in memory: its place and its size, as mount takes it. */
  readonly tmpfs?: Readonly<Record<string, string>>;
}

/** One program of Drystone in a container of its own. */
export class Program {
  private constructor(
    readonly alias: string,
    readonly container: StartedTestContainer,
  ) {}

  static async start(options: ProgramOptions): Promise<Program> {
    const { network, alias, args, environment = {}, ready, before = 'true', tmpfs = {} } = options;
    const command = ['node', MAIN, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const container = await new GenericContainer(IMAGE)
      .withNetwork(network)
      .withNetworkAliases(alias)
      .withEnvironment(environment)
      .withTmpFs(tmpfs)
      .withEntrypoint(['sh', '-c', `${before} && exec ${command}`])
      .withCommand([])
      .withWaitStrategy(Wait.forLogMessage(ready))
      .withStartupTimeout(STARTUP_MS)
      .start();
    return new Program(alias, container);
  }

  /** Runs `drystone` with `args` beside the program; what it printed. */
  drystone(...args: string[]): Promise<Ran> {
    return this.run('node', MAIN, ...args);
  }

  /** Runs a command beside the program. */
  async run(...command: string[]): Promise<Ran> {
    const { exitCode, output } = await this.container.exec(command);
    return { code: exitCode, output };
  }

  /** Runs a shell script beside the program; fails where it fails. */
  async shell(script: string): Promise<string> {
    const { code, output } = await this.run('sh', '-c', script);
    if (code !== 0) throw new Error(`${this.alias}: ${script}: exit code ${code}: ${output}`);
    return output;
  }

  /** Bytes that the container has sent into all its networks, as its kernel counts them. */
  async bytesSent(): Promise<number> {
    const counts = await this.shell('cat /sys/class/net/eth*/statistics/tx_bytes');
    return counts
      .trim()
      .split('\n')
      .reduce((sum, line) => sum + Number(line), 0);
  }

  /** As a power cut does; it can be started again. */
  async kill(): Promise<void> {
    await (await this.#handle()).kill();
  }

  /** Starts it again after {@link kill}. */
  async startAgain(): Promise<void> {
    await (await this.#handle()).start();
  }

  /** Stops it in mid-air: its connections stand, and nothing answers. */
  async pause(): Promise<void> {
    await (await this.#handle()).pause();
  }

  async unpause(): Promise<void> {
    await (await this.#handle()).unpause();
  }

  /** What it wrote, for a test that failed. */
  async log(): Promise<string> {
    const lines: Buffer = await (await this.#handle()).logs({ stdout: true, stderr: true, tail: 60 });
    return `${this.alias}:\n${lines.toString('utf8')}`;
  }

  async stop(): Promise<void> {
    await this.container.stop({ timeout: 1_000 });
  }

  async #handle() {
    return (await getContainerRuntimeClient()).container.getById(this.container.getId());
  }
}
