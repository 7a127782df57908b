import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../common/clock.js';
import { DrystoneError } from '../../common/errors.js';
import {
  certificateTimes,
  fingerprintOf,
  readCertificate,
  splitCertificates,
} from '../../common/identity/certificate-facts.js';
import type { Credential } from '../../common/identity/held-identity.js';
import type { ServerCertificate } from '../../common/rpc/transport-credentials.js';
import type { FleetCa } from './fleet-ca.js';

/** Where an operator keeps a certificate of their own for the metadata service; both PEM. */
export interface ServerCertificateFiles {
  /** The server's certificate, then those of the CAs that have signed it, up to one that the fleet trusts. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** An operator's certificate, ready to be shown. */
export interface OwnServerCertificate {
  readonly certificate: ServerCertificate;
  /** SHA-256 of the CA's certificate at its end, 32 bytes: by that, those who join know the service. */
  readonly pinned: Buffer;
  readonly credential: Pick<Credential, 'expiresAtMs'>;
}

/**
 * Reads an operator's certificate. FAILED_PRECONDITION: KEY_UNREADABLE where the files do not fit together, or the fleet
 * does not trust the CA at its end, so that nobody could verify the server; CERTIFICATE_EXPIRED where its time is over.
 */
export async function readServerCertificate(
  files: ServerCertificateFiles,
  ca: FleetCa,
  clock: Clock,
): Promise<OwnServerCertificate> {
  const { certificateFile, keyFile } = files;
  let own: OwnServerCertificate;
  try {
    const [chainPem, keyPem] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(keyFile, 'utf8')]);
    const chain = splitCertificates(chainPem);
    const [first = '', last = ''] = [chain[0], chain.at(-1)];
    if (!readCertificate(first).checkPrivateKey(createPrivateKey(keyPem))) {
      throw new Error(`${keyFile} is not the key of its first certificate`);
    }
    const pinned = fingerprintOf(last);
    const trusted = splitCertificates(ca.trustedCertificates);
    if (!trusted.some((pem) => fingerprintOf(pem).equals(pinned))) {
      throw new Error('its last certificate must be that of a CA, and be in ca/ca.crt of the data directory too');
    }
    const expiresAtMs = certificateTimes(first).notAfterMs;
    own = { certificate: { chainPem, keyPem }, pinned, credential: { expiresAtMs } };
  } catch (thrown) {
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    throw unusable('KEY_UNREADABLE', `${certificateFile} cannot be used: ${problem}; correct it`, thrown);
  }
  if (own.credential.expiresAtMs <= clock.nowMs()) {
    throw unusable('CERTIFICATE_EXPIRED', `${certificateFile} has ended; get another`, undefined);
  }
  return own;
}

function unusable(reason: 'KEY_UNREADABLE' | 'CERTIFICATE_EXPIRED', problem: string, cause: unknown): DrystoneError {
  const message = `the server certificate in ${problem}, or start without one of your own`;
  return new DrystoneError('FAILED_PRECONDITION', reason, message, {}, { cause });
}
