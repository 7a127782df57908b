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
/** Of the log of each program, when a test has failed. */
const LINES_SHOWN = 60;

/** What a command in a container left. */
export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** How a program is put into a container. */
export interface ProgramOptions {
  readonly networks: readonly [StartedNetwork, ...StartedNetwork[]];
  /** What it is called in its networks. */
  readonly alias: string;
  /** The module that Node runs; `drystone` unless given. */
  readonly main?: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What its output says when it is ready. */
  readonly ready: RegExp;
  /** Run by the shell before the program, in the same container. */
  readonly before?: string;
  /** A small disk in memory: its place and its size, as mount takes it. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** Files that the image does not have: what is in each, by its place. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A line that a program wrote under --json. */
export interface ProgramEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/**
 * A container that is in its networks, all of them, before its program starts, and in no other: the library would add the
 * engine's own, which nothing cuts.
 */
class NetworkedContainer extends GenericContainer {
  constructor(
    private readonly networks: readonly [StartedNetwork, ...StartedNetwork[]],
    private readonly alias: string,
  ) {
    super(IMAGE);
    this.withNetwork(networks[0]);
  }

  protected override async beforeContainerCreated(): Promise<void> {
    const endpoint = { Aliases: [this.alias] };
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [this.networks[0].getName()]: endpoint } };
  }

  protected override async containerCreated(id: string): Promise<void> {
    for (const network of this.networks.slice(1)) await connectToNetwork(network, id, this.alias);
  }
}

/** One program of Drystone in a container of its own. */
export class Program {
  private constructor(
    readonly alias: string,
    readonly container: StartedTestContainer,
  ) {}

  static async start(options: ProgramOptions): Promise<Program> {
    const { networks, alias, main = MAIN, args, environment = {}, ready, before = 'true' } = options;
    const { tmpfs = {}, files = {} } = options;
    const command = ['node', main, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const container = await new NetworkedContainer(networks, alias)
      .withEnvironment(environment)
      .withTmpFs(tmpfs)
      .withCopyContentToContainer(Object.entries(files).map(([target, content]) => ({ target, content })))
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

  /** Has the program itself stand still, and not what is run beside it, which sees its files as they are. */
  async suspend(): Promise<void> {
    await (await this.#handle()).kill({ signal: 'SIGSTOP' });
  }

  async resume(): Promise<void> {
    await (await this.#handle()).kill({ signal: 'SIGCONT' });
  }

  /** What it has told under --json, in order. */
  async events(): Promise<ProgramEvent[]> {
    const frames: Buffer = await (await this.#handle()).logs({ stdout: true });
    const lines = textOf(frames).split('\n');
    // The last line may not have been written to its end.
    return lines.slice(0, -1).flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as ProgramEvent] : []));
  }

  /** What it wrote last, for a test that failed. */
  async log(): Promise<string> {
    const frames: Buffer = await (await this.#handle()).logs({ stdout: true, stderr: true });
    const lines = textOf(frames).split('\n');
    // A program that waits says how far it has come again and again.
    const news = lines.filter((line, index) => line !== lines[index - 1]);
    return `${this.alias}:\n${news.slice(-LINES_SHOWN).join('\n')}`;
  }

  /** Ends it, whatever it is doing, and removes its container. */
  async remove(): Promise<void> {
    await (await this.#handle()).remove({ force: true, v: true });
  }

  async #handle() {
    return (await getContainerRuntimeClient()).container.getById(this.container.getId());
  }
}

/** Puts a container into a network, in which it is called `alias`. */
export async function connectToNetwork(network: StartedNetwork, id: string, alias: string): Promise<void> {
  const client = await getContainerRuntimeClient();
  const options = { Container: id, EndpointConfig: { Aliases: [alias] } };
  await client.network.getById(network.getId()).connect(options);
}

/** What the frames of a log hold, which has one for each write: a byte that says where to, three empty ones, and its size. */
function textOf(frames: Buffer): string {
  const texts: Buffer[] = [];
  for (let at = 0; at < frames.length;) {
    const start = at + 8;
    at = start + frames.readUInt32BE(at + 4);
    texts.push(frames.subarray(start, at));
  }
  return Buffer.concat(texts).toString('utf8');
}
