import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';
import { certificateTimes } from '../../common/identity/certificate-facts.js';
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
import type { AuditAction, NewAuditEntry } from '../store/rows.js';
import { auditEntry } from './audit-entry.js';
import { placeCaFiles, readCaFiles, readLastFingerprint, writeLastFingerprint, type CaFiles } from './ca-files.js';

const SERIAL_BYTES = 16;

export interface FleetCaParts {
  /** DATA of the metadata service; the CA is in `ca` below it. */
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
   * Opens the CA in DATA/ca, or makes it there on the first start. One that was not in use before is entered into the
   * audit log, before its first certificate. FAILED_PRECONDITION: KEY_UNREADABLE where its files do not fit together,
   * CERTIFICATE_EXPIRED where its own time is over.
   */
  static async open(parts: FleetCaParts): Promise<FleetCa> {
    const dir = join(parts.dataDir, 'ca');
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
  await audit.append(entryOf('ca.create', fingerprint, clock));
  await placeCaFiles(dir, files, fingerprint);
  return authority;
}

/** Takes what lies there: the CA of the last start, or one that an operator has put in its place. */
async function adopt(dir: string, files: CaFiles, { audit, clock }: FleetCaParts): Promise<CertificateAuthority> {
  const authority = await openCertificateAuthority(files.keyPem, files.certificatesPem);
  const fingerprint = authority.fingerprint.toString('hex');
  if ((await readLastFingerprint(dir)) !== fingerprint) {
    await audit.append(entryOf('ca.import', fingerprint, clock));
    await writeLastFingerprint(dir, fingerprint);
  }
  return authority;
}

function entryOf(action: AuditAction, fingerprint: string, clock: Clock): NewAuditEntry {
  return auditEntry(clock, { kind: 'metadata' }, { action, subject: fingerprint });
}
