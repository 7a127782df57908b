import {
  parseAccountName,
  parseAgentId,
  parseDeviceId,
  parsePremisesName,
  type AccountName,
  type AgentId,
  type DeviceId,
  type PremisesName,
} from '../ids.js';

/** An agent: a block server at a site. */
export interface AgentIdentity {
  readonly kind: 'agent';
  readonly agentId: AgentId;
  readonly premises: PremisesName;
}

/** A device: one endpoint of an account. */
export interface DeviceIdentity {
  readonly kind: 'device';
  readonly deviceId: DeviceId;
  readonly account: AccountName;
}

/** The metadata service. */
export interface MetadataIdentity {
  readonly kind: 'metadata';
}

/** Whom a certificate of the fleet's CA is for. */
export type Identity = AgentIdentity | DeviceIdentity | MetadataIdentity;

const TRUST_DOMAIN = 'spiffe://drystone/';

/** The URI that names an identity in its certificate, as its one subject alternative name. */
export function identityUri(identity: Identity): string {
  switch (identity.kind) {
    case 'agent':
      return `${TRUST_DOMAIN}agent/${identity.premises}/${identity.agentId}`;
    case 'device':
      return `${TRUST_DOMAIN}device/${identity.account}/${identity.deviceId}`;
    case 'metadata':
      return `${TRUST_DOMAIN}metadata`;
  }
}

/** The inverse of {@link identityUri}; undefined where the URI is not one that it makes. */
export function parseIdentityUri(uri: string): Identity | undefined {
  if (!uri.startsWith(TRUST_DOMAIN)) return undefined;
  const [kind, subject = '', id = '', ...rest] = uri.slice(TRUST_DOMAIN.length).split('/');
  if (rest.length > 0) return undefined;
  if (kind === 'metadata') return subject === '' && uri === `${TRUST_DOMAIN}metadata` ? { kind } : undefined;
  try {
    if (kind === 'agent') {
      return { kind, premises: parsePremisesName('premises', subject), agentId: parseAgentId('agent id', id) };
    }
    if (kind === 'device') {
      return { kind, account: parseAccountName('account', subject), deviceId: parseDeviceId('device id', id) };
    }
  } catch {
    // A name that no honest issuer would have certified is nobody's.
  }
  return undefined;
}

/** An identity for people and for logs: `device ana/ID`, `agent lisbon/ID`, `metadata`. */
export function describeIdentity(identity: Identity): string {
  switch (identity.kind) {
    case 'agent':
      return `agent ${identity.premises}/${identity.agentId}`;
    case 'device':
      return `device ${identity.account}/${identity.deviceId}`;
    case 'metadata':
      return 'metadata';
  }
}
