import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DrystoneError } from '../../common/errors.js';
import { fingerprintOf, readCertificate, splitCertificates } from '../../common/identity/certificate-facts.js';
import type { ServerCertificate } from '../../common/rpc/transport-credentials.js';
import type { FleetCa } from './fleet-ca.js';

/** Where an operator keeps a certificate of their own for the metadata service; both PEM. */
export interface ServerCertificateFiles {
  /** The server's certificate, then those of the CAs that have signed it, up to one that the fleet trusts. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/**
 * Reads an operator's certificate. `pinned` is the SHA-256 of the CA's certificate at its end: by that, those who join
 * know the service. FAILED_PRECONDITION (KEY_UNREADABLE) where the files do not fit together, or the fleet does not trust
 * that CA: nobody could verify the server.
 */
export async function readServerCertificate(
  { certificateFile, keyFile }: ServerCertificateFiles,
  ca: FleetCa,
): Promise<{ readonly certificate: ServerCertificate; readonly pinned: Buffer }> {
  try {
    const [chainPem, keyPem] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(keyFile, 'utf8')]);
    const chain = splitCertificates(chainPem);
    const [own = '', last = ''] = [chain[0], chain.at(-1)];
    if (!readCertificate(own).checkPrivateKey(createPrivateKey(keyPem))) {
      throw new Error(`${keyFile} is not the key of the first certificate`);
    }
    const pinned = fingerprintOf(last);
    const trusts = splitCertificates(ca.trustedCertificates).some((pem) => fingerprintOf(pem).equals(pinned));
    if (!trusts) {
      throw new Error(`the last certificate in it must be that of a CA, and be in ca/ca.crt of the data directory too`);
    }
    return { certificate: { chainPem, keyPem }, pinned };
  } catch (thrown) {
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `the server certificate in ${certificateFile} cannot be used: ${problem}; correct it, or do without it`;
    throw new DrystoneError('FAILED_PRECONDITION', 'KEY_UNREADABLE', message, {}, { cause: thrown });
  }
}
