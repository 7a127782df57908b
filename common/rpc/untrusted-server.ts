const PREFIX = 'not trusted: ';

/** OpenSSL's words for a certificate that does not count, by Node's codes. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * A server was reached and has not proved to be who it should. grpc-js hands on nothing of an error but its message, so
 * that is what tells it from a server that was not reached.
 */
export class UntrustedServer extends Error {
  constructor(problem: string) {
    super(`${PREFIX}${problem}`);
  }

  /** What a failed handshake means. */
  static of(error: NodeJS.ErrnoException): Error {
    if (error instanceof UntrustedServer) return error;
    const { code = '' } = error;
    if (CERTIFICATE_CODES.has(code))
      return new UntrustedServer(`its certificate does not count here (${error.message})`);
    if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return new UntrustedServer('it does not speak TLS 1.3');
    return error;
  }

  /** The problem, where the message of an error is that of such a one. */
  static problemIn(message: string): string | undefined {
    return message.startsWith(PREFIX) ? message.slice(PREFIX.length) : undefined;
  }
}

/** What a person reads of a server at `address` that has not proved to be who it should. */
export function untrustedServerMessage(address: string, problem: string): string {
  return `the server at ${address} is not the one that is meant: ${problem}; nothing was sent to it, check the address`;
}
