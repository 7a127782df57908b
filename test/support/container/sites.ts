import { getContainerRuntimeClient, Network, type StartedNetwork, type StartedTestContainer } from 'testcontainers';
import { waitUntil } from '../wait-until.js';
import { connectToNetwork } from './programs.js';

/** A container at a site, and what it is called in its networks. */
interface Member {
  readonly id: string;
  readonly alias: string;
}

/** The networks of an organisation: one for each site, and the line between the sites. */
export class Sites {
  readonly #sites = new Map<string, Promise<StartedNetwork>>();
  readonly #members = new Map<string, Member[]>();

  private constructor(private readonly wan: StartedNetwork) {}

  static async create(): Promise<Sites> {
    return new Sites(await new Network().start());
  }

  /** Between all sites: where containers are started. */
  get line(): StartedNetwork {
    return this.wan;
  }

  /** A site's own network. */
  networkOf(site: string): Promise<StartedNetwork> {
    const network = this.#sites.get(site) ?? new Network().start();
    this.#sites.set(site, network);
    return network;
  }

  /** Counts a container that hangs on the line as one of a site's. */
  note(container: StartedTestContainer, site: string, alias: string): void {
    const member = { id: container.getId(), alias };
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
    for (const { id, alias } of this.#members.get(site) ?? []) await connectToNetwork(this.wan, id, alias);
  }

  async remove(): Promise<void> {
    // The engine may take a moment to let go of containers that it has removed.
    for (const network of [this.wan, ...(await Promise.all(this.#sites.values()))]) {
      await waitUntil('the network is free', async () => (await network.stop(), true));
    }
  }
}
