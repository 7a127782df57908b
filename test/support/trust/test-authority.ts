import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  createCaFiles,
  openCertificateAuthority,
  type CertificateAuthority,
} from '../../../common/identity/certificates.js';
import { credentialOf, HeldIdentity } from '../../../common/identity/held-identity.js';
import type { Identity } from '../../../common/identity/identity.js';
import {
  idOfPublicKey,
  type AccountName,
  type AgentId,
  type DeviceId,
  type PremisesName,
} from '../../../common/ids.js';
import { rawPublicKey } from '../../../common/receipt.js';
import { systemRandom } from '../../../common/random.js';
import { mutualTls, type TransportCredentials } from '../../../common/rpc/transport-credentials.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** When a certificate counts, measured from now: milliseconds. */
export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The times of certificates that tests ask for by name. */
export const validity = {
  now: { fromMs: -DAY_MS, untilMs: DAY_MS },
  past: { fromMs: -2 * DAY_MS, untilMs: -DAY_MS },
  future: { fromMs: DAY_MS, untilMs: 2 * DAY_MS },
} as const satisfies Readonly<Record<string, Validity>>;

/** The CA of a fleet in a test: certifies whatever it is asked to. */
export class TestAuthority {
  private constructor(
    readonly ca: CertificateAuthority,
    readonly keyPem: string,
  ) {}

  static async create(): Promise<TestAuthority> {
    const { keyPem, certificatePem } = await createCaFiles({ nowMs: Date.now(), serial: systemRandom.bytes(16) });
    return TestAuthority.of(keyPem, certificatePem);
  }

  /** The CA with this key and certificate, PEM: that of a metadata service for one. */
  static async of(keyPem: string, certificatesPem: string): Promise<TestAuthority> {
    return new TestAuthority(await openCertificateAuthority(keyPem, certificatesPem), keyPem);
  }

  /** An identity with a key and a certificate of this CA, which verifies others by this CA. */
  async hold(identity: Identity, privateKey: KeyObject, times: Validity = validity.now): Promise<HeldIdentity> {
    return new HeldIdentity(
      identity,
      privateKey,
      credentialOf(await this.certify(identity, privateKey, times), this.ca.trustedPem),
    );
  }

  /** A certificate of this CA, whether it is true or not, PEM. */
  certify(identity: Identity, privateKey: KeyObject, times: Validity = validity.now): Promise<string> {
    const nowMs = Date.now();
    return this.ca.issue({
      identity,
      publicKey: rawPublicKey(privateKey),
      notBeforeMs: nowMs + times.fromMs,
      notAfterMs: nowMs + times.untilMs,
      serial: systemRandom.bytes(16),
    });
  }

  /** A new device of an account. */
  device(account = 'ana', times?: Validity): Promise<HeldIdentity> {
    const { privateKey, id } = newKey<DeviceId>();
    return this.hold({ kind: 'device', deviceId: id, account: account as AccountName }, privateKey, times);
  }

  /** A new agent at a site. */
  agent(premises = 'lisbon', times?: Validity): Promise<HeldIdentity> {
    const { privateKey, id } = newKey<AgentId>();
    return this.hold({ kind: 'agent', agentId: id, premises: premises as PremisesName }, privateKey, times);
  }

  /** A metadata service. */
  metadata(times?: Validity): Promise<HeldIdentity> {
    return this.hold({ kind: 'metadata' }, newKey().privateKey, times);
  }

  /** The transport credentials of an identity that this CA has certified. */
  transportOf(held: HeldIdentity): TransportCredentials {
    return mutualTls(held);
  }
}

/** A new Ed25519 key and the id that follows from it. */
export function newKey<Id extends AgentId | DeviceId>(): { readonly privateKey: KeyObject; readonly id: Id } {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, id: idOfPublicKey<Id>(rawPublicKey(privateKey)) };
}
