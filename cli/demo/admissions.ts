import { readFile } from 'node:fs/promises';
import { systemClock } from '../../common/clock.js';
import { systemRandom } from '../../common/random.js';
import { withFleet, type FleetCalls } from '../fleet/fleet-connection.js';
import { logIn } from '../fleet/log-in.js';
import { accountRoles } from '../fleet/roles.js';
import { parseToken } from '../settings/one-time-token.js';
import type { DemoFleet, DemoMetadata } from './demo-fleet.js';

const ADMINISTRATOR = 'admin';

/** Lets agents and people into the fleet of a demo, as its first administrator. */
export class Admissions {
  private constructor(
    private readonly fleet: DemoFleet,
    private readonly metadata: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Logs in as the administrator whom the metadata service waits for. */
  static async open(fleet: DemoFleet, metadata: DemoMetadata, signal: AbortSignal): Promise<Admissions> {
    const admissions = new Admissions(fleet, metadata.address, signal);
    await admissions.#logIn(ADMINISTRATOR, await readFile(metadata.adminTokenFile, 'utf8'));
    return admissions;
  }

  /** Asks the metadata service something as the administrator. */
  ask<T>(use: (calls: FleetCalls) => Promise<T>): Promise<T> {
    return withFleet({ metadata: this.metadata, home: this.fleet.homeOf(ADMINISTRATOR) }, use);
  }

  /** A one-time token for an agent at `premises`. */
  async agentToken(premises: string): Promise<string> {
    const { signal } = this;
    const issued = await this.ask(({ access }) => access.issueAgentToken({ premises, validSeconds: 0 }, { signal }));
    return issued.token;
  }

  /** Makes an account with one device, which has logged in when this resolves. */
  async admit(account: string): Promise<void> {
    const { signal } = this;
    const token = await this.ask(async ({ access }) => {
      await access.createAccount({ name: account, role: accountRoles.member }, { signal });
      return (await access.issueDeviceToken({ account, validSeconds: 0 }, { signal })).token;
    });
    await this.#logIn(account, token);
  }

  async #logIn(account: string, token: string): Promise<void> {
    const given = parseToken('token', token);
    const home = this.fleet.homeOf(account);
    await logIn({ ...given, address: this.metadata, home, clock: systemClock, random: systemRandom });
  }
}
