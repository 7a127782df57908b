import { getContainerRuntimeClient, Network, type StartedNetwork, type StartedTestContainer } from 'testcontainers';
import { waitUntil } from '../wait-until.js';

/** A container at a site, and what it is called in its networks. */
interface Member {
  readonly id: string;
  readonly alias: string;
}

/** The networks of an organisation: one for each site, and the line between the sites. */
export class Sites {
  readonly #sites = new Map<string, StartedNetwork>();
  readonly #members = new Map<string, Member[]>();

  private constructor(private readonly wan: StartedNetwork) {}

  static async create(): Promise<Sites> {
    return new Sites(await new Network().start());
  }

  /** Between all sites: where containers are started. */
  get line(): StartedNetwork {
    return this.wan;
  }

  /** Puts a container that hangs on the line, under `alias`, on a site's own network as well. */
  async place(container: StartedTestContainer, site: string, alias: string): Promise<void> {
    const known = this.#sites.get(site);
    const network = known ?? (await new Network().start());
    this.#sites.set(site, network);
    const member = { id: container.getId(), alias };
    await connect(network, member);
    this.#members.set(site, [...(this.#members.get(site) ?? []), member]);
  }

  /** Cuts a site's line: what is under way is lost without a word, as when a cable is cut. */
  async cut(site: string): Promise<void> {
    const { network } = await getContainerRuntimeClient();
    const wan = network.getById(this.wan.getId());
    for (const { id } of this.#members.get(site) ?? []) await wan.disconnect({ Container: id, Force: true });
  }

  /** Mends what {@link cut} has cut. */
  async heal(site: string): Promise<void> {
    for (const member of this.#members.get(site) ?? []) await connect(this.wan, member);
  }

  async remove(): Promise<void> {
    // The engine may take a moment to let go of containers that it has removed.
    for (const network of [this.wan, ...this.#sites.values()]) {
      await waitUntil('the network is free', async () => (await network.stop(), true));
    }
  }
}

async function connect(network: StartedNetwork, { id, alias }: Member): Promise<void> {
  const client = await getContainerRuntimeClient();
  const options = { Container: id, EndpointConfig: { Aliases: [alias] } };
  await client.network.getById(network.getId()).connect(options);
}
