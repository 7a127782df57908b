import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { plaintextCredentials } from '../../../common/rpc/credentials.js';
import { connectBlockServer, type BlockClient } from '../../../server/block-client.js';

const PROGRAM = fileURLToPath(new URL('./serve-blocks.mjs', import.meta.url));

/** A block server in a process of its own, to be killed. */
export class BlockServerProcess {
  private constructor(
    readonly child: ChildProcess,
    readonly channel: RpcChannel,
    readonly client: BlockClient,
  ) {}

  /**
   * Starts one on the data in `directory` and waits until it listens.
   *
   * @param fileLimitKiB the largest size to which it may grow a file: a disk that is full, as far as a process can tell
   */
  static async start(directory: string, fileLimitKiB?: number): Promise<BlockServerProcess> {
    const node = [process.execPath, PROGRAM, directory];
    const limited = ['sh', '-c', `ulimit -f ${fileLimitKiB} && exec "$@"`, 'sh', ...node];
    const [command = '', ...args] = fileLimitKiB === undefined ? node : limited;
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const address = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve);
      child.once('exit', (code) => reject(new Error(`the block server ended with code ${code} before it listened`)));
    });
    const channel = openChannel(address, plaintextCredentials().channel);
    return new BlockServerProcess(child, channel, connectBlockServer(channel));
  }

  /** What a power cut does to a process. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.channel.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
