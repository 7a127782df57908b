import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../common/clock.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { connectBlockServer, type BlockClient } from '../../../server/block-client.js';
import { agentIdOf, BlockFleet } from './block-fleet.js';
import { plantAgent } from './plant-agent.js';

const PROGRAM = fileURLToPath(new URL('./serve-blocks.mjs', import.meta.url));

/** A block server in a process of its own, to be killed. */
export class BlockServerProcess {
  private constructor(
    readonly child: ChildProcess,
    readonly channel: RpcChannel,
    readonly client: BlockClient,
  ) {}

  /**
   * Starts one on the data in the site's directory and waits until it listens.
   *
   * @param fileLimitKiB the largest size to which it may grow a file: a disk that is full, as far as a process can tell
   */
  static async start({ fleet, agent, device, dir }: BlockSite, fileLimitKiB?: number): Promise<BlockServerProcess> {
    const node = [process.execPath, PROGRAM, dir];
    const limited = ['sh', '-c', `ulimit -f ${fileLimitKiB} && exec "$@"`, 'sh', ...node];
    const [command = '', ...args] = fileLimitKiB === undefined ? node : limited;
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const address = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve);
      child.once('exit', (code) => reject(new Error(`the block server ended with code ${code} before it listened`)));
    });
    const channel = openChannel(address, fleet.authority.transportOf(device).channelTo(agentIdOf(agent)));
    return new BlockServerProcess(
      child,
      channel,
      connectBlockServer(channel, systemClock, () => fleet.token(device)),
    );
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

/** A directory with the identity of an agent, and a device that may read and write there. */
export interface BlockSite {
  readonly dir: string;
  readonly fleet: BlockFleet;
  readonly agent: HeldIdentity;
  readonly device: HeldIdentity;
}

/** Makes a site in an empty directory. */
export async function plantBlockSite(dir: string): Promise<BlockSite> {
  const fleet = await BlockFleet.create();
  const agent = await fleet.authority.agent();
  await plantAgent(dir, { held: agent, tokenKeys: fleet.tokenKeys });
  return { dir, fleet, agent, device: await fleet.authority.device() };
}
