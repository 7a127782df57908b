import { EnrollmentServiceService } from '../../proto/gen/drystone/metadata/v1/enrollment.js';
import type { Clock } from '../clock.js';
import { withRetries } from '../concurrency/retry.js';
import type { AgentId, DeviceId } from '../ids.js';
import { loadOrCreateSigningKey, type SigningKey } from '../program/signing-key.js';
import type { Random } from '../random.js';
import { openChannel } from '../rpc/client.js';
import { readTrustedCertificates } from '../rpc/first-contact.js';
import { enrollingChannel } from '../rpc/transport-credentials.js';
import { credentialOfAnswer } from './certificate-answer.js';
import type { EnrollmentSubject, EnrollmentToken } from './enrollment-token.js';
import { HeldIdentity } from './held-identity.js';
import { identityKeyPath, storeCredential } from './identity-files.js';
import type { Identity } from './identity.js';

export interface JoinOptions {
  /** HOST:PORT of the metadata service. */
  readonly address: string;
  /** The one-time token, parsed, and as it was given. */
  readonly token: EnrollmentToken;
  readonly tokenText: string;
  /** Where the key and the certificate are kept: an existing directory of this program. */
  readonly dir: string;
  /** For people: how a device calls itself. Empty for an agent. */
  readonly displayName: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Redeems a one-time token: makes a key where there is none, has it certified by the metadata service, and keeps both.
 * Durable when the promise resolves. What failed may be repeated with the same token; a server that does not prove to be
 * the one that the token names hears nothing of it. Raises UNAUTHENTICATED (SERVER_UNTRUSTED, TOKEN_INVALID),
 * PERMISSION_DENIED (IDENTITY_REVOKED), UNAVAILABLE where nobody answers, and what reading the key raises.
 */
export async function joinFleet(options: JoinOptions): Promise<HeldIdentity> {
  const { address, token, dir, clock, random } = options;
  const name = token.subject.kind;
  const key = await loadOrCreateSigningKey<AgentId & DeviceId>(identityKeyPath(dir, name));
  const identity = identityOf(token.subject, key);
  const credential = await withRetries({ clock, random }, async () => {
    const trusted = await readTrustedCertificates(address, token.caFingerprint);
    const channel = openChannel(address, enrollingChannel(trusted));
    try {
      const { certificate } = await channel.service(EnrollmentServiceService).enroll({
        token: options.tokenText.trim(),
        certificateRequest: await requestFor(identity, key),
        displayName: options.displayName,
      });
      return credentialOfAnswer(certificate, identity, key.privateKey);
    } finally {
      channel.close();
    }
  });
  await storeCredential(dir, name, credential);
  return new HeldIdentity(identity, key.privateKey, credential);
}

function identityOf(subject: EnrollmentSubject, { id }: SigningKey<AgentId & DeviceId>): Identity {
  return subject.kind === 'agent'
    ? { kind: 'agent', agentId: id, premises: subject.premises }
    : { kind: 'device', deviceId: id, account: subject.account };
}

async function requestFor(identity: Identity, { privateKey }: SigningKey<AgentId & DeviceId>): Promise<Uint8Array> {
  // A quarter of a second to load, which commands that join nothing need not wait for.
  const { createCertificateRequest } = await import('./certificates.js');
  return createCertificateRequest(privateKey, identity);
}
