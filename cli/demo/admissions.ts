import { readFile } from 'node:fs/promises';
import { systemClock } from '../../common/clock.js';
import { systemRandom } from '../../common/random.js';
import { withFleet, type FleetCalls } from '../fleet/fleet-connection.js';
import { logIn } from '../fleet/log-in.js';
import { accountRoles } from '../fleet/roles.js';
import { parseToken } from '../settings/one-time-token.js';

/** The metadata service of a fleet that has nobody in it yet. */
export interface NewFleet {
  /** HOST:PORT of its metadata service. */
  readonly metadata: string;
  /** The file with the token of its first administrator. */
  readonly adminTokenFile: string;
  /** Where the administrator's device shall have its key and certificate. */
  readonly adminHome: string;
}

/** Lets agents and people into a new fleet, as its first administrator. */
export class Admissions {
  private constructor(
    private readonly metadata: string,
    private readonly adminHome: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Logs in as the administrator for whom the metadata service waits. */
  static async open({ metadata, adminTokenFile, adminHome }: NewFleet, signal: AbortSignal): Promise<Admissions> {
    await logInAt(metadata, adminHome, await readFile(adminTokenFile, 'utf8'));
    return new Admissions(metadata, adminHome, signal);
  }

  /** Asks the metadata service something as the administrator. */
  ask<T>(use: (calls: FleetCalls) => Promise<T>): Promise<T> {
    return withFleet({ metadata: this.metadata, home: this.adminHome }, use);
  }

  /** A one-time token for an agent at `premises`. */
  async agentToken(premises: string): Promise<string> {
    const { signal } = this;
    const issued = await this.ask(({ access }) => access.issueAgentToken({ premises, validSeconds: 0 }, { signal }));
    return issued.token;
  }

  /** Makes an account of somebody who uses what is shared with them. */
  async createAccount(name: string): Promise<void> {
    const { signal } = this;
    await this.ask(({ access }) => access.createAccount({ name, role: accountRoles.member }, { signal }));
  }

  /** Makes `home` the home of a new device of an account: it has logged in when this resolves. */
  async admitDevice(account: string, home: string): Promise<void> {
    const { signal } = this;
    const request = { account, validSeconds: 0 };
    const { token } = await this.ask(({ access }) => access.issueDeviceToken(request, { signal }));
    await logInAt(this.metadata, home, token);
  }
}

async function logInAt(metadata: string, home: string, token: string): Promise<void> {
  await logIn({ ...parseToken('token', token), address: metadata, home, clock: systemClock, random: systemRandom });
}
