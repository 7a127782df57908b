import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../common/clock.js';
import {
  enrollmentTokenBytes,
  formatEnrollmentToken,
  type EnrollmentSubject,
  type EnrollmentToken,
} from '../../common/identity/enrollment-token.js';
import type { Identity } from '../../common/identity/identity.js';
import type { Random } from '../../common/random.js';
import type { TokenMetrics } from '../metrics.js';
import type { EnrollmentStore } from '../store/contract.js';
import type { EnrollmentTokenRow } from '../store/rows.js';
import { auditEntry } from './audit-entry.js';

export interface EnrollmentTokensParts {
  readonly enrollment: EnrollmentStore;
  /** SHA-256 of the certificate by which whoever joins knows the service, 32 bytes. */
  readonly pinned: Buffer;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: TokenMetrics;
}

/** A one-time token as it is told to whoever asked for it. */
export interface IssuedToken {
  /** The token itself: a secret. */
  readonly text: string;
  /** Milliseconds since 1970 UTC. */
  readonly expiresAtMs: number;
}

/** Issues one-time tokens and knows them again. Of a token's secret only the hash is kept. */
export class EnrollmentTokens {
  constructor(readonly parts: EnrollmentTokensParts) {}

  /**
   * A token with which one agent or device can join within `validMs`. NOT_FOUND (ACCOUNT_UNKNOWN), RESOURCE_EXHAUSTED
   * (too many wait to be redeemed).
   */
  async issue(issuer: Identity, subject: EnrollmentSubject, validMs: number): Promise<IssuedToken> {
    const { enrollment, pinned, clock, random, metrics } = this.parts;
    const token: EnrollmentToken = {
      subject,
      id: random.bytes(enrollmentTokenBytes.id),
      secret: random.bytes(enrollmentTokenBytes.secret),
      caFingerprint: pinned,
    };
    const id = idOf(token);
    const expiresAtMs = clock.nowMs() + validMs;
    const secretHash = hashOf(token.secret);
    const audit = auditEntry(clock, issuer, {
      action: 'token.issue',
      subject: id,
      ...(subject.kind === 'device' ? { account: subject.account } : {}),
      facts: { ...subject, expires: new Date(expiresAtMs).toISOString() },
    });
    await enrollment.createToken({ id, secretHash, subject, expiresAtMs, redeemedBy: undefined }, audit);
    metrics.issued(subject.kind);
    return { text: formatEnrollmentToken(token), expiresAtMs };
  }

  /** What is kept of the token with this id and secret, whoever it is for and whether or not it still counts. */
  async find(token: EnrollmentToken): Promise<EnrollmentTokenRow | undefined> {
    const row = await this.parts.enrollment.getToken(idOf(token));
    return row !== undefined && timingSafeEqual(hashOf(token.secret), row.secretHash) ? row : undefined;
  }
}

function idOf({ id }: EnrollmentToken): string {
  return id.toString('hex');
}

/** A random secret of 32 bytes needs no slow hash: it cannot be guessed from a fast one either. */
function hashOf(secret: Uint8Array): Buffer {
  return createHash('sha256').update(secret).digest();
}
