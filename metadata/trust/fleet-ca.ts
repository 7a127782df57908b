import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../common/clock.js';
import { certificateTimes, fingerprintOf, splitCertificates } from '../../common/identity/certificate-facts.js';
import {
  createCaFiles,
  openCertificateAuthority,
  type CertificateAuthority,
} from '../../common/identity/certificates.js';
import { DrystoneError } from '../../common/errors.js';
import { credentialOf, type Credential } from '../../common/identity/held-identity.js';
import type { Identity } from '../../common/identity/identity.js';
import { trustLimits } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import type { AuditStore } from '../store/contract.js';
import { auditEntry } from './audit-entry.js';
import { placeCaFiles, readCaFiles, readLastFingerprints, writeLastFingerprints, type CaFiles } from './ca-files.js';

/** Where in the data directory the CA is; an operator may put one there before the first start. */
export const CA_DIRECTORY = 'ca';

const SERIAL_BYTES = 16;

export interface FleetCaParts {
  /** DATA of the metadata service; the CA is below it. */
  readonly dataDir: string;
  readonly audit: AuditStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** The certificate authority of the fleet: who holds a certificate of it, is who the certificate says. */
export class FleetCa {
  private constructor(
    private readonly authority: CertificateAuthority,
    private readonly parts: FleetCaParts,
  ) {}

  /**
   * Opens the CA in DATA/ca, or makes it there on the first start. What was not trusted before is entered into the audit
   * log, before it is used. FAILED_PRECONDITION: KEY_UNREADABLE where its files do not fit together,
   * CERTIFICATE_EXPIRED where its own time is over.
   */
  static async open(parts: FleetCaParts): Promise<FleetCa> {
    const dir = join(parts.dataDir, CA_DIRECTORY);
    const files = await readCaFiles(dir);
    const authority = files === undefined ? await create(dir, parts) : await adopt(dir, files, parts);
    if (certificateTimes(authority.certificatePem).notAfterMs <= parts.clock.nowMs()) {
      const message = `the certificate of the fleet's CA in ${dir} has expired; put another CA there, and let everybody join again`;
      throw new DrystoneError('FAILED_PRECONDITION', 'CERTIFICATE_EXPIRED', message);
    }
    return new FleetCa(authority, parts);
  }

  /** SHA-256 of its certificate, 32 bytes: one-time tokens carry it. */
  get fingerprint(): Buffer {
    return this.authority.fingerprint;
  }

  /** PEM: its certificate, then others that the fleet trusts. */
  get trustedCertificates(): string {
    return this.authority.trustedPem;
  }

  /** Certifies that the holder of a key (raw Ed25519, 32 bytes) is `identity`, for `trustLimits.certificateMs` from now. */
  async issue(identity: Identity, publicKey: Uint8Array): Promise<Credential> {
    const { clock, random } = this.parts;
    const nowMs = clock.nowMs();
    const certificateChain = await this.authority.issue({
      identity,
      publicKey,
      notBeforeMs: nowMs - trustLimits.certificateBackdateMs,
      notAfterMs: nowMs + trustLimits.certificateMs,
      serial: random.bytes(SERIAL_BYTES),
    });
    return credentialOf(certificateChain, this.trustedCertificates);
  }
}

async function create(dir: string, parts: FleetCaParts): Promise<CertificateAuthority> {
  const { clock, random, audit } = parts;
  const made = await createCaFiles({ nowMs: clock.nowMs(), serial: random.bytes(SERIAL_BYTES) });
  const files = { keyPem: made.keyPem, certificatesPem: made.certificatePem };
  const authority = await openCertificateAuthority(files.keyPem, files.certificatesPem);
  const fingerprint = authority.fingerprint.toString('hex');
  await audit.append(auditEntry(clock, { kind: 'metadata' }, { action: 'ca.create', subject: fingerprint }));
  await placeCaFiles(dir, files, [fingerprint]);
  return authority;
}

/** Takes what lies there: the CA of the last start, or what an operator has put in its place or beside it. */
async function adopt(dir: string, files: CaFiles, { audit, clock }: FleetCaParts): Promise<CertificateAuthority> {
  const authority = await openCertificateAuthority(files.keyPem, files.certificatesPem);
  const last = (await readLastFingerprints(dir)) ?? [];
  const trusted = splitCertificates(authority.trustedPem).map((pem) => fingerprintOf(pem).toString('hex'));
  for (const [index, subject] of trusted.entries()) {
    if (last.includes(subject)) continue;
    const facts = { use: index === 0 ? 'issues certificates' : 'is trusted' };
    await audit.append(auditEntry(clock, { kind: 'metadata' }, { action: 'ca.import', subject, facts }));
  }
  if (!isDeepStrictEqual(trusted, last)) await writeLastFingerprints(dir, trusted);
  return authority;
}
