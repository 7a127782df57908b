import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';
import { HeldIdentity } from '../../common/identity/held-identity.js';
import { trustLimits } from '../../common/limits.js';
import { loadOrCreateSigningKey } from '../../common/program/signing-key.js';
import { rawPublicKey } from '../../common/receipt.js';
import type { FleetCa } from './fleet-ca.js';

/** The identity of the metadata service itself: its key is in DATA/server.key, its certificate is made at each start. */
export async function openServerIdentity(dataDir: string, ca: FleetCa): Promise<HeldIdentity> {
  const { privateKey, publicKey } = await loadOrCreateSigningKey(join(dataDir, 'server.key'));
  return new HeldIdentity({ kind: 'metadata' }, privateKey, await ca.issue({ kind: 'metadata' }, publicKey));
}

/** Gives the service its next certificate long before the last ends, until `signal` aborts. */
export async function keepServerIdentity(
  held: HeldIdentity,
  ca: FleetCa,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { issuedAtMs, expiresAtMs } = held.credential;
    const renewAtMs = issuedAtMs + (expiresAtMs - issuedAtMs) * trustLimits.renewAfterShare;
    if (clock.nowMs() >= renewAtMs) held.replace(await ca.issue(held.identity, rawPublicKey(held.privateKey)));
    // A sleep that is interrupted is the end of the watch.
    await clock.sleep(trustLimits.renewCheckMs, signal).catch(() => undefined);
  }
}
