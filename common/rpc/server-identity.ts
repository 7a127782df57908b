import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { identityOfCertificate } from '../identity/certificate-facts.js';
import { describeIdentity, type Identity } from '../identity/identity.js';
import type { AgentId, DeviceId } from '../ids.js';
import { UntrustedServer } from './untrusted-server.js';

/** Who a server is to be: metadata, an agent, or a device that gives blocks to others. */
export type ServerPeer = 'metadata' | AgentId | ServingDevice;

/** A device as a server. */
export interface ServingDevice {
  readonly device: DeviceId;
}

/** What is wrong with a server's certificate, whose chain has been verified; undefined where it is as it should. */
export type ServerCheck = (certificate: PeerCertificate) => UntrustedServer | undefined;

/**
 * Checks that a server is `peer`. A server is who the URI in its certificate says, wherever it stands; metadata may also
 * have an operator's certificate, which has no such URI and must be for `host`.
 */
export function serverIdentityCheck(peer: ServerPeer, host: string): ServerCheck {
  const wanted = describePeer(peer);
  return (certificate) => {
    const identity = identityOfCertificate(certificate.raw);
    if (identity === undefined && peer === 'metadata') {
      if (checkServerIdentity(host, certificate) === undefined) return undefined;
      return new UntrustedServer(`its certificate is neither that of ${wanted} nor for ${host}`);
    }
    if (identity !== undefined && isPeer(identity, peer)) return undefined;
    const shown = identity === undefined ? 'names nobody' : `is that of ${describeIdentity(identity)}`;
    return new UntrustedServer(`its certificate ${shown}, not of ${wanted}`);
  };
}

function describePeer(peer: ServerPeer): string {
  if (typeof peer === 'object') return `device ${peer.device}`;
  return peer === 'metadata' ? peer : `agent ${peer}`;
}

function isPeer(identity: Identity, peer: ServerPeer): boolean {
  switch (identity.kind) {
    case 'metadata':
      return peer === 'metadata';
    case 'agent':
      return peer === identity.agentId;
    case 'device':
      return typeof peer === 'object' && peer.device === identity.deviceId;
  }
}
