import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/** What a server agrees to. Sessions are not taken up again: whoever connects proves anew, and as of now, who he is. */
export const serverTlsSettings = {
  minVersion: 'TLSv1.3',
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const satisfies SecureContextOptions;

/** What a client agrees to. It may stop at any certificate that it trusts, an operator's intermediate CA for one. */
export const clientTlsSettings = {
  minVersion: 'TLSv1.3',
  allowPartialTrustChain: true,
} as const satisfies SecureContextOptions;
