import type { Identity } from '../identity/identity.js';

/** Who makes a call, as the certificate of the connection says; the certificate was valid when it was made. */
export type Caller = Identity | Anonymous;

/** Somebody who has shown no certificate that counts. */
export interface Anonymous {
  readonly kind: 'anonymous';
  /** None was shown, one that the fleet's CA has not signed, one that has ended, or one that names nobody. */
  readonly because: 'no certificate' | 'untrusted' | 'expired' | 'nameless';
}

/** Whom an RPC is for. */
export type Audience = 'anyone' | 'device' | 'agent' | 'agent or device';
