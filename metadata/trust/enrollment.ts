import type { Clock } from '../../common/clock.js';
import { invalidArgument } from '../../common/errors.js';
import { readCertificateRequest } from '../../common/identity/certificates.js';
import { parseEnrollmentToken, type EnrollmentToken } from '../../common/identity/enrollment-token.js';
import type { Credential } from '../../common/identity/held-identity.js';
import { identityUri, type AgentIdentity, type DeviceIdentity } from '../../common/identity/identity.js';
import type { MetadataStore, NewHolder } from '../store/contract.js';
import type { AuditAction } from '../store/rows.js';
import { tokenInvalid } from '../store/store-errors.js';
import { auditEntry, type Deed } from './audit-entry.js';
import type { EnrollmentTokens } from './enrollment-tokens.js';
import type { FleetCa } from './fleet-ca.js';

const REQUEST_FIELD = 'certificate_request';

export interface EnrollmentParts {
  readonly store: Pick<MetadataStore, 'enrollment' | 'audit'>;
  readonly tokens: EnrollmentTokens;
  readonly ca: Pick<FleetCa, 'issue'>;
  readonly clock: Clock;
}

/** What somebody who joins has to show. */
export interface JoinRequest {
  /** The one-time token, whole. */
  readonly token: string;
  /** PKCS #10, DER. */
  readonly certificateRequest: Uint8Array;
  /** Of a device, its form checked; empty for an agent. */
  readonly displayName: string;
}

/** Gives agents and devices their certificates (proto/drystone/metadata/v1/enrollment.proto). */
export class Enrollment {
  constructor(readonly parts: EnrollmentParts) {}

  /**
   * Redeems a one-time token for the first certificate of its holder, who is known from then on. What can be refused
   * without a look into the store is refused first. Errors as EnrollmentService.Enroll.
   */
  async enroll(request: JoinRequest): Promise<Credential> {
    const { store, tokens, ca, clock } = this.parts;
    const token = parseEnrollmentToken('token', request.token);
    const { identity, publicKey } = await readCertificateRequest(REQUEST_FIELD, request.certificateRequest);
    if (!isMeantFor(token, identity)) {
      throw invalidArgument(REQUEST_FIELD, 'must name the kind, and the account or premises, that the token is for');
    }
    const issued = await tokens.find(token);
    if (issued === undefined) throw tokenInvalid();
    const action = identity.kind === 'agent' ? 'agent.enroll' : 'device.enroll';
    const audit = auditEntry(clock, identity, { ...deedTo(identity, action), facts: { token: issued.id } });
    const holder = holderOf(identity, publicKey, request.displayName);
    await store.enrollment.redeemToken(issued.id, clock.nowMs(), holder, audit);
    return ca.issue(identity, publicKey);
  }

  /** The next certificate of an agent or device, over the same key. Errors as EnrollmentService.RenewCertificate. */
  async renew(caller: AgentIdentity | DeviceIdentity, certificateRequest: Uint8Array): Promise<Credential> {
    const { store, ca, clock } = this.parts;
    const { identity, publicKey } = await readCertificateRequest(REQUEST_FIELD, certificateRequest);
    // The id in it is that of the key: who has the caller's name has the caller's key.
    if (identityUri(identity) !== identityUri(caller)) {
      throw invalidArgument(REQUEST_FIELD, `must be for ${identityUri(caller)}, with the key of its certificate`);
    }
    await store.audit.append(auditEntry(clock, caller, deedTo(caller, 'certificate.renew')));
    return ca.issue(caller, publicKey);
  }
}

function isMeantFor({ subject }: EnrollmentToken, identity: AgentIdentity | DeviceIdentity): boolean {
  switch (subject.kind) {
    case 'agent':
      return identity.kind === 'agent' && identity.premises === subject.premises;
    case 'device':
      return identity.kind === 'device' && identity.account === subject.account;
  }
}

function holderOf(identity: AgentIdentity | DeviceIdentity, publicKey: Uint8Array, displayName: string): NewHolder {
  if (identity.kind === 'agent') {
    return { kind: 'agent', agent: { id: identity.agentId, publicKey, premises: identity.premises } };
  }
  return { kind: 'device', device: { id: identity.deviceId, account: identity.account, displayName } };
}

function deedTo(identity: AgentIdentity | DeviceIdentity, action: AuditAction): Deed {
  return identity.kind === 'agent'
    ? { action, subject: identity.agentId }
    : { action, subject: identity.deviceId, account: identity.account };
}
