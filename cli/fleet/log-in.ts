import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';
import { DrystoneError, invalidArgument } from '../../common/errors.js';
import { makeDirectory } from '../../common/files/make-directory.js';
import { markPrivate } from '../../common/files/private-mark.js';
import type { DeviceIdentity } from '../../common/identity/identity.js';
import { joinFleet } from '../../common/identity/join.js';
import { wireLimits } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import type { GivenToken } from '../settings/values.js';
import { recordLogin } from './login-record.js';

/** Who logs in, and where. */
export interface LogIn extends GivenToken {
  /** HOST:PORT of the metadata service. */
  readonly address: string;
  /** Where the device's key and certificate are kept from now on. */
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a login leads to. */
export interface LoggedIn extends DeviceIdentity {
  /** Milliseconds since 1970 UTC; a sync renews the certificate before. */
  readonly certificateExpiresAtMs: number;
}

/**
 * Makes `home` the home of a device of the token's account, with a key of its own, made on the first login. Idempotent: an
 * account that logs in again from there keeps the device. Raises what joining raises; INVALID_ARGUMENT where the token is
 * not one for a device.
 */
export async function logIn({ token, tokenText, address, home, clock, random }: LogIn): Promise<LoggedIn> {
  if (token.subject.kind !== 'device') {
    throw invalidArgument('TOKEN', 'is for an agent; get one for a device with `drystone device token --account NAME`');
  }
  await makeDirectory(home, 0o700);
  await markPrivate(home);
  const displayName = displayNameOf(hostname());
  const held = await joinFleet({ address, token, tokenText, dir: home, displayName, clock, random }).catch(
    (thrown: unknown) => {
      throw explainRefusal(home, thrown);
    },
  );
  await recordLogin(home, address);
  const { account } = token.subject;
  if (held.identity.kind !== 'device') throw new DrystoneError('INTERNAL', 'INTERNAL', `${account} became no device`);
  return { ...held.identity, certificateExpiresAtMs: held.credential.expiresAtMs };
}

/** As much of `name` as a display name can have, and no half character. */
function displayNameOf(name: string): string {
  return Buffer.from(name)
    .subarray(0, wireLimits.displayTextBytes)
    .toString()
    .replace(/\uFFFD+$/, '');
}

/** The key in `home` is another account's, or was revoked: what to do about that only we can say. */
function explainRefusal(home: string, thrown: unknown): unknown {
  if (!(thrown instanceof DrystoneError) || thrown.code !== 'PERMISSION_DENIED') return thrown;
  const advice = `log in with another --home, or remove ${join(home, 'device.key')} to become a new device`;
  return new DrystoneError(thrown.code, thrown.reason, `${thrown.message}; ${advice}`, thrown.details, {
    cause: thrown,
  });
}
