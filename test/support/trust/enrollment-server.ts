import { Registry } from 'prom-client';
import { systemClock } from '../../../common/clock.js';
import { type DrystoneError } from '../../../common/errors.js';
import { readCertificateRequest } from '../../../common/identity/certificates.js';
import { describeIdentity } from '../../../common/identity/identity.js';
import { silentLogger } from '../../../common/logging.js';
import { systemRandom } from '../../../common/random.js';
import { CallGate } from '../../../common/rpc/call-gate.js';
import { createRpcServerMetrics } from '../../../common/rpc/rpc-metrics.js';
import { serve, startRpcServer, type RpcServer } from '../../../common/rpc/server.js';
import { mutualTls } from '../../../common/rpc/transport-credentials.js';
import {
  EnrollmentServiceService,
  type EnrollRequest,
  type IssuedCertificate,
} from '../../../proto/gen/drystone/metadata/v1/enrollment.js';
import type { TestAuthority, Validity } from './test-authority.js';

/** The part of a metadata service that certifies, for tests of those who ask it. */
export class EnrollmentServer {
  /** What it was asked, in order. */
  readonly enrolled: EnrollRequest[] = [];
  readonly renewed: string[] = [];
  /** For how long the next certificates count. */
  times: Validity = { fromMs: -1000, untilMs: 3_600_000 };
  /** Raised in place of each of the next answers. */
  readonly failures: DrystoneError[] = [];
  /** Put in place of each of the next answers. */
  readonly answers: (IssuedCertificate | undefined)[] = [];
  #server: RpcServer | undefined;

  constructor(readonly authority: TestAuthority) {}

  get address(): string {
    return this.#server?.address ?? '';
  }

  async start(listen = '127.0.0.1:0'): Promise<void> {
    const answer = async (der: Uint8Array): Promise<{ certificate: IssuedCertificate | undefined }> => {
      const failure = this.failures.shift();
      if (failure !== undefined) throw failure;
      if (this.answers.length > 0) return { certificate: this.answers.shift() };
      return { certificate: await this.#issue(der) };
    };
    this.#server = await startRpcServer({
      listen,
      credentials: mutualTls(await this.authority.metadata()).server,
      gate: new CallGate({ clock: systemClock }),
      services: [
        serve(
          EnrollmentServiceService,
          {
            enroll: (request) => {
              this.enrolled.push(request);
              return answer(request.certificateRequest);
            },
            renewCertificate: ({ certificateRequest }, { caller }) => {
              this.renewed.push(caller.kind === 'anonymous' ? caller.because : describeIdentity(caller));
              return answer(certificateRequest);
            },
          },
          { audience: { enroll: 'anyone', renewCertificate: 'agent or device' } },
        ),
      ],
      metrics: createRpcServerMetrics(new Registry(), []),
      logger: silentLogger(),
    });
  }

  async stop(): Promise<void> {
    await this.#server?.drain(0);
  }

  async #issue(der: Uint8Array): Promise<IssuedCertificate> {
    const { identity, publicKey } = await readCertificateRequest('certificate_request', der);
    const nowMs = Date.now();
    const notAfterMs = nowMs + this.times.untilMs;
    const certificateChain = await this.authority.ca.issue({
      identity,
      publicKey,
      notBeforeMs: nowMs + this.times.fromMs,
      notAfterMs,
      serial: systemRandom.bytes(16),
    });
    return { certificateChain, trustedCertificates: this.authority.ca.trustedPem, expiresAtMs: BigInt(notAfterMs) };
  }
}
