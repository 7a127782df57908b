import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../clock.js';
import type { DrystoneError, ErrorReason } from '../errors.js';
import type { HeldIdentity } from '../identity/held-identity.js';
import type { Caller } from './caller.js';

/** Counts who comes to a server and who is turned away. */
export interface TrustMetrics {
  /** A connection was made, and this is who made it; undefined where its handshake failed or it was not let in. */
  connected(caller: Caller | undefined): void;
  /** So many connections are open now. */
  connections(count: number): void;
  /** A call ended with an error: counted where it was refused for who its caller is, or for how much he asks. */
  refused(error: DrystoneError): void;
}

const RESULTS = ['ok', 'no_certificate', 'untrusted', 'expired', 'failed'] as const;
type HandshakeResult = (typeof RESULTS)[number];

/** Refusals that are there as zero from the start: an alert sees a series grow only if it was there before. */
const REASONS_FROM_THE_START: readonly ErrorReason[] = [
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_INVALID',
  'CERTIFICATE_MISSING',
  'IDENTITY_REVOKED',
  'ROLE_INSUFFICIENT',
  'TOKEN_EXPIRED',
  'TOKEN_INVALID',
];

/** The series on trust of an RPC server. */
export function createTrustMetrics(registry: Registry): TrustMetrics {
  const registers = [registry];
  const handshakes = new Counter({
    name: 'drystone_rpc_handshakes_total',
    help: 'Connections made, by what certificate was shown.',
    labelNames: ['result'] as const,
    registers,
  });
  const refusals = new Counter({
    name: 'drystone_rpc_refusals_total',
    help: 'Calls refused for who the caller is or is not, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  const limited = new Counter({
    name: 'drystone_rpc_rate_limited_total',
    help: 'Calls refused because the caller makes too many.',
    registers,
  });
  const open = new Gauge({ name: 'drystone_rpc_connections', help: 'Connections that are open now.', registers });
  for (const result of RESULTS) handshakes.inc({ result }, 0);
  for (const reason of REASONS_FROM_THE_START) refusals.inc({ reason }, 0);
  return {
    connected: (caller) => handshakes.inc({ result: resultOf(caller) }),
    connections: (count) => open.set(count),
    refused({ code, reason }) {
      if (reason === 'RATE_LIMITED') limited.inc();
      else if (code === 'UNAUTHENTICATED' || code === 'PERMISSION_DENIED') refusals.inc({ reason });
    },
  };
}

/** A {@link HeldIdentity}, or whatever else a program shows. */
export interface Expiring {
  readonly credential: Pick<HeldIdentity['credential'], 'expiresAtMs'>;
}

function resultOf(caller: Caller | undefined): HandshakeResult {
  if (caller === undefined) return 'failed';
  if (caller.kind !== 'anonymous') return 'ok';
  if (caller.because === 'no certificate') return 'no_certificate';
  return caller.because === 'expired' ? 'expired' : 'untrusted';
}

/** A gauge of how long the certificate that a program shows still counts. Call it once a registry. */
export function trackCertificate(registry: Registry, held: Expiring, clock: Clock): void {
  new Gauge({
    name: 'drystone_identity_certificate_seconds_left',
    help: 'Time until the certificate of this program ends; below zero where it has ended.',
    registers: [registry],
    collect() {
      this.set((held.credential.expiresAtMs - clock.nowMs()) / 1000);
    },
  });
}
