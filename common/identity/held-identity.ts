import type { KeyObject } from 'node:crypto';
import { certificateTimes } from './certificate-facts.js';
import type { Identity } from './identity.js';

/** A certificate, and what others' certificates are verified with. */
export interface Credential {
  /** PEM, the holder's certificate first, then those between it and the CA's. */
  readonly certificateChain: string;
  /** PEM: the CAs that the fleet trusts. */
  readonly trustedCertificates: string;
  /** From when until when the certificate counts: milliseconds since 1970 UTC. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** A credential from its parts, with the times that the certificate says. Throws where that cannot be read. */
export function credentialOf(certificateChain: string, trustedCertificates: string): Credential {
  const { notBeforeMs, notAfterMs } = certificateTimes(certificateChain);
  return { certificateChain, trustedCertificates, issuedAtMs: notBeforeMs, expiresAtMs: notAfterMs };
}

/** The identity of this program: a key, and the certificate over it, which is replaced now and then. */
export class HeldIdentity {
  #credential: Credential;
  readonly #listeners = new Set<() => void>();

  constructor(
    readonly identity: Identity,
    readonly privateKey: KeyObject,
    credential: Credential,
  ) {
    this.#credential = credential;
  }

  /** The newest. */
  get credential(): Credential {
    return this.#credential;
  }

  /** Puts a new credential, over the same key, in force for connections that are made from now on. */
  replace(next: Credential): void {
    this.#credential = next;
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each {@link replace} until the function that is returned is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
