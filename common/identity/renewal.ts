import { EnrollmentServiceService } from '../../proto/gen/drystone/metadata/v1/enrollment.js';
import type { Clock } from '../clock.js';
import { toDrystoneError } from '../errors.js';
import { trustLimits } from '../limits.js';
import type { Logger } from '../logging.js';
import type { Random } from '../random.js';
import { openChannel } from '../rpc/client.js';
import type { TransportCredentials } from '../rpc/transport-credentials.js';
import { credentialOfAnswer } from './certificate-answer.js';
import type { Credential, HeldIdentity } from './held-identity.js';
import { storeCredential, type IdentityName } from './identity-files.js';

export interface RenewalOptions {
  readonly held: HeldIdentity;
  /** Where its files are. */
  readonly dir: string;
  readonly name: IdentityName;
  /** HOST:PORT of the metadata service. */
  readonly address: string;
  /** Made of `held`. */
  readonly transport: TransportCredentials;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Renews a certificate, over the same key, whenever `trustLimits.renewAfterShare` of its time has passed, until `signal`
 * aborts. The new one is durable before it is used; connections that are open then go on. Never raises: what fails is
 * logged and tried again.
 */
export async function keepRenewed(options: RenewalOptions, signal: AbortSignal): Promise<void> {
  const { held, clock, random } = options;
  let waitMs = untilDueMs(held.credential, clock);
  while (await slept(clock, waitMs, signal)) {
    waitMs = untilDueMs(held.credential, clock);
    // Clocks jump, and machines sleep: what was so an hour ago need not be so now.
    if (waitMs > 0) continue;
    await tryToRenew(options);
    // Also where all went well: to a clock that is far ahead the new one would be due again at once.
    waitMs = Math.max(trustLimits.renewRetryMs * (0.5 + random.fraction()), untilDueMs(held.credential, clock));
  }
}

/** For what does not run for long: one attempt, where the certificate is due. Never raises: what fails is logged. */
export async function renewIfDue(options: RenewalOptions): Promise<void> {
  if (untilDueMs(options.held.credential, options.clock) === 0) await tryToRenew(options);
}

async function tryToRenew(options: RenewalOptions): Promise<void> {
  const { held, clock, logger } = options;
  try {
    await renew(options);
    logger.info({ expiresAtMs: held.credential.expiresAtMs }, 'the certificate has been renewed');
  } catch (thrown) {
    const { code, reason, message } = toDrystoneError(thrown);
    const secondsLeft = Math.round((held.credential.expiresAtMs - clock.nowMs()) / 1000);
    logger.warn({ code, reason, error: message, secondsLeft }, 'the certificate could not be renewed; trying again');
  }
}

/** How long to wait until the certificate is to be renewed, or looked at again. */
function untilDueMs({ issuedAtMs, expiresAtMs }: Credential, clock: Clock): number {
  const dueAtMs = issuedAtMs + (expiresAtMs - issuedAtMs) * trustLimits.renewAfterShare;
  return Math.min(Math.max(0, dueAtMs - clock.nowMs()), trustLimits.renewCheckMs);
}

async function slept(clock: Clock, waitMs: number, signal: AbortSignal): Promise<boolean> {
  await clock.sleep(waitMs, signal).catch(() => undefined);
  return !signal.aborted;
}

async function renew({ held, dir, name, address, transport }: RenewalOptions): Promise<void> {
  // A quarter of a second to load, which a program that renews nothing need not wait for.
  const { createCertificateRequest } = await import('./certificates.js');
  const channel = openChannel(address, transport.channelTo('metadata'));
  try {
    const certificateRequest = await createCertificateRequest(held.privateKey, held.identity);
    const { certificate } = await channel.service(EnrollmentServiceService).renewCertificate({ certificateRequest });
    const next = credentialOfAnswer(certificate, held.identity, held.privateKey);
    await storeCredential(dir, name, next);
    held.replace(next);
  } finally {
    channel.close();
  }
}
