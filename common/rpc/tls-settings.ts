import type { SecureContextOptions } from 'node:tls';

/** What a server agrees to. */
export const serverTlsSettings = { minVersion: 'TLSv1.3' } as const satisfies SecureContextOptions;

/** What a client agrees to. It may stop at any certificate that it trusts, an operator's intermediate CA for one. */
export const clientTlsSettings = {
  minVersion: 'TLSv1.3',
  allowPartialTrustChain: true,
} as const satisfies SecureContextOptions;
