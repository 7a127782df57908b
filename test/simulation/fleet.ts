import { parseDeviceId } from '../../common/ids.js';
import type { Random } from '../../common/random.js';
import type { MetadataStore } from '../../metadata/store/contract.js';
import type { NamespaceRow } from '../../metadata/store/rows.js';
import { ana, createAccount, createNamespace, enrollAgent } from '../support/metadata/furnished-store.js';
import { auditEntry, sampleAgent, sampleNamespace, SAMPLE_TIME_MS, sampleToken } from '../support/metadata/samples.js';
import { numberBelow, pick, seededRandom } from '../support/seeded-random.js';
import type { Faults } from './faults/fault.js';
import { SimulatedNetwork } from './network/network.js';
import { AgentNode } from './nodes/agent-node.js';
import { ClientNode } from './nodes/client-node.js';
import type { ClientPlace } from './nodes/client-place.js';
import { MetadataNode } from './nodes/metadata-node.js';
import type { Crash, World } from './process.js';
import { SimulatedTime } from './time.js';
import type { Trace } from './trace.js';

/**
 * Calls that an idle program keeps open: a client follows the feed and its assignment, an agent sends heartbeats and follows
 * the feed. Clients are connected to each other, with no call open: they follow each other's feeds only while metadata and
 * agents are away, and what they ask is answered at once.
 */
const CALLS_OF_CLIENT = 2;
const CALLS_OF_AGENT = 2;

const SITES = ['lisbon', 'porto', 'faro'];

/** Anything that runs, crashes and is started again. */
export type Node = MetadataNode | AgentNode | ClientNode;

/** All programs of a simulated organisation: how many, and where, is the seed's choice. */
export class SimulatedFleet {
  readonly time = new SimulatedTime();
  readonly network = new SimulatedNetwork(this.time);
  readonly world: World;
  readonly sites: readonly string[];
  readonly metadata: MetadataNode;
  readonly agents: readonly AgentNode[];
  readonly clients: readonly ClientNode[];
  /** What of it could not be done, which is a failure. */
  readonly failures: string[] = [];
  readonly #downUntilMs = new Map<Node, number>();

  private constructor(
    seed: number,
    trace: Trace,
    faults: Faults,
    peers: Random | undefined,
    readonly namespace: NamespaceRow,
  ) {
    const random = seededRandom(`fleet ${seed}`);
    this.world = { time: this.time, trace, random };
    this.sites = SITES.slice(0, 1 + numberBelow(SITES.length, random));
    const skewMs = (): number => Math.floor((random.fraction() - 0.5) * 2000);
    this.metadata = new MetadataNode(this.world, this.network, faults.metadata ?? {}, () =>
      this.#restart(this.metadata),
    );
    this.agents = this.sites.map((site) => {
      const node: AgentNode = new AgentNode(
        this.world,
        this.network,
        sampleAgent(site, site),
        skewMs(),
        faults.agent ?? {},
        () => this.#restart(node),
      );
      return node;
    });
    this.clients = Array.from({ length: 2 + numberBelow(4, random) }, (_, index) => {
      const name = `client-${'abcde'.charAt(index)}`;
      const place = {
        name,
        site: pick(this.sites, random),
        skewMs: skewMs(),
        ...this.#ownership(name),
        peers: peers && howPeersAreFound(peers),
      };
      const node: ClientNode = new ClientNode(this.world, this.network, place, faults.client ?? {}, () =>
        this.#restart(node),
      );
      return node;
    });
  }

  /**
   * A fleet in which everybody has joined, and everything runs.
   *
   * @param peers decides which clients speak with each other; none do without
   */
  static async start(seed: number, trace: Trace, faults: Faults, peers: Random | undefined): Promise<SimulatedFleet> {
    const namespace = { ...sampleNamespace('shared'), epoch: 1 };
    const fleet = new SimulatedFleet(seed, trace, faults, peers, namespace);
    const { store } = fleet.metadata;
    await createAccount(store, ana, 'administrator');
    for (const { agent } of fleet.agents) await enrollAgent(store, agent);
    for (const { place } of fleet.clients) await enrollDevice(store, place);
    await createNamespace(store, { ...namespace, agents: fleet.agents.map(({ agent }) => agent.id) });
    for (const node of fleet.nodes) await node.start();
    return fleet;
  }

  get nodes(): readonly Node[] {
    return [this.metadata, ...this.agents, ...this.clients];
  }

  /** Calls that are open while everybody is connected and has nothing to do. */
  get idleCalls(): number {
    return this.clients.length * CALLS_OF_CLIENT + this.agents.length * CALLS_OF_AGENT;
  }

  /** Has a program crash, or stay away where it has, until `untilMs` at the least. */
  keepDown(node: Node, untilMs: number, crash: Crash): void {
    this.#downUntilMs.set(node, untilMs);
    node.process?.crash(crash);
  }

  #ownership(name: string) {
    // A device has a key as an agent has.
    const { id, privateKey } = sampleAgent(`device ${name}`);
    const device = parseDeviceId('device', id);
    return { device, signingKey: privateKey, account: ana, namespace: this.namespace.name };
  }

  #restart(node: Node): void {
    const { random, time } = this.world;
    const start = (): void => {
      const leftMs = (this.#downUntilMs.get(node) ?? 0) - time.nowMs;
      if (leftMs > 0) time.after(leftMs, start);
      else node.start().catch((thrown: unknown) => this.failures.push(`a program did not start: ${String(thrown)}`));
    };
    time.after(200 + random.fraction() * 8_000, start);
  }
}

function howPeersAreFound(random: Random): ClientPlace['peers'] {
  const roll = random.fraction();
  if (roll < 0.1) return undefined;
  return roll < 0.25 ? 'only lan' : 'metadata and lan';
}

/** Lets a device log in. */
async function enrollDevice(
  { enrollment }: Pick<MetadataStore, 'enrollment'>,
  { name, device: id, account }: ClientPlace,
): Promise<void> {
  const token = sampleToken(`of device ${id}`, { kind: 'device', account });
  await enrollment.createToken(token, auditEntry('token.issue', token.id));
  const holder = { kind: 'device', device: { id, account, displayName: name } } as const;
  await enrollment.redeemToken(token.id, SAMPLE_TIME_MS, holder, auditEntry('device.enroll', id));
}
