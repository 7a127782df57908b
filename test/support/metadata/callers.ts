import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import { createCertificateRequest } from '../../../common/identity/certificates.js';
import { parseEnrollmentToken } from '../../../common/identity/enrollment-token.js';
import { credentialOf, HeldIdentity } from '../../../common/identity/held-identity.js';
import type { AgentIdentity, DeviceIdentity, Identity } from '../../../common/identity/identity.js';
import { idOfPublicKey, type AgentId, type DeviceId } from '../../../common/ids.js';
import { rawPublicKey } from '../../../common/receipt.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { enrollingChannel, mutualTls, type TransportCredentials } from '../../../common/rpc/transport-credentials.js';
import { newKey } from '../trust/test-authority.js';
import { metadataCalls, type MetadataCalls } from './calls.js';

/** Somebody with a certificate, and what they can call. */
export interface TestCaller<I extends Identity = Identity> {
  readonly identity: I;
  readonly calls: MetadataCalls;
  readonly channel: RpcChannel;
  readonly held: HeldIdentity;
  readonly transport: TransportCredentials;
}

/** How those who are nobody yet reach a metadata service, and become somebody. */
export class TestEnrollment {
  readonly #channels: RpcChannel[] = [];
  readonly #address: string;
  readonly trustedPem: string;
  /** Calls without a certificate. */
  readonly calls: MetadataCalls;

  constructor(address: string, dataDir: string) {
    this.#address = address;
    this.trustedPem = readFileSync(join(dataDir, 'ca', 'ca.crt'), 'utf8');
    this.calls = metadataCalls(this.#open(openChannel(address, enrollingChannel(this.trustedPem))));
  }

  /** Redeems a one-time token, with a new key unless one is given. */
  async join(token: string, privateKey: KeyObject = newKey().privateKey): Promise<TestCaller> {
    const identity = identityFor(token, privateKey);
    const certificateRequest = await createCertificateRequest(privateKey, identity);
    const displayName = identity.kind === 'device' ? 'a test' : '';
    const { certificate } = await this.calls.enrollment.enroll({ token, certificateRequest, displayName });
    return this.callerOf(
      new HeldIdentity(
        identity,
        privateKey,
        credentialOf(certificate!.certificateChain, certificate!.trustedCertificates),
      ),
    );
  }

  /** The calls of whoever holds an identity, whatever metadata thinks of it. */
  callerOf(held: HeldIdentity): TestCaller {
    const transport = mutualTls(held);
    const channel = this.#open(openChannel(this.#address, transport.channelTo('metadata')));
    return { identity: held.identity, calls: metadataCalls(channel), channel, held, transport };
  }

  close(): void {
    for (const channel of this.#channels) channel.close();
  }

  #open(channel: RpcChannel): RpcChannel {
    this.#channels.push(channel);
    return channel;
  }
}

/** The identity that a token is for, with a key. */
export function identityFor(token: string, privateKey: KeyObject): AgentIdentity | DeviceIdentity {
  const { subject } = parseEnrollmentToken('token', token);
  const publicKey = rawPublicKey(privateKey);
  return subject.kind === 'agent'
    ? { ...subject, agentId: idOfPublicKey<AgentId>(publicKey) }
    : { ...subject, deviceId: idOfPublicKey<DeviceId>(publicKey) };
}
