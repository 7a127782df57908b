import type { KeyObject } from 'node:crypto';
import type { IssuedCertificate } from '../../proto/gen/drystone/metadata/v1/enrollment.js';
import { DrystoneError } from '../errors.js';
import { trustLimits } from '../limits.js';
import { identityOfCertificate, readCertificate } from './certificate-facts.js';
import { credentialOf, type Credential } from './held-identity.js';
import { describeIdentity, type Identity } from './identity.js';

/**
 * The credential that metadata has answered with, checked: it has to be for `identity`, over the key that was sent.
 * INTERNAL where it is not; then the server does not keep to its contract.
 */
export function credentialOfAnswer(
  answer: IssuedCertificate | undefined,
  identity: Identity,
  privateKey: KeyObject,
): Credential {
  const { certificateChain = '', trustedCertificates = '' } = answer ?? {};
  const isShort = [certificateChain, trustedCertificates].every(
    (pem) => pem.length <= trustLimits.certificateChainBytes,
  );
  try {
    const certificate = readCertificate(isShort ? certificateChain : '');
    readCertificate(trustedCertificates);
    const named = identityOfCertificate(certificate.raw);
    if (named !== undefined && certificate.checkPrivateKey(privateKey) && isSame(named, identity)) {
      return credentialOf(certificateChain, trustedCertificates);
    }
  } catch {
    // What cannot be read is refused below, as what is for somebody else.
  }
  const message = `metadata has answered with a certificate that is not for ${describeIdentity(identity)}; look at its log`;
  throw new DrystoneError('INTERNAL', 'INTERNAL', message);
}

function isSame(one: Identity, other: Identity): boolean {
  return describeIdentity(one) === describeIdentity(other);
}
