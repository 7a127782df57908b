import { DrystoneError } from '../../common/errors.js';
import { renewIfDue, type RenewalOptions } from '../../common/identity/renewal.js';
import type { HeldIdentity } from '../../common/identity/held-identity.js';
import { loadIdentity } from '../../common/identity/identity-files.js';
import type { AccountName, DeviceId } from '../../common/ids.js';
import type { ProgramContext } from '../../common/program/context.js';
import { mutualTls, type TransportCredentials } from '../../common/rpc/transport-credentials.js';

/** What the files of a device's identity are called, in its home directory. */
const DEVICE_FILES = 'device';

/** This device, since it has logged in. */
export interface Device {
  readonly id: DeviceId;
  /** For which it acts. */
  readonly account: AccountName;
  readonly held: HeldIdentity;
  /** Shows the device's newest certificate, and checks those of others. */
  readonly transport: TransportCredentials;
}

/**
 * The device whose key and certificate lie in `homeDir`. Raises FAILED_PRECONDITION: IDENTITY_MISSING where it has never
 * logged in, KEY_UNREADABLE where what lies there does not belong together, DIRECTORY_UNUSABLE where it cannot be looked into.
 */
export async function openDevice(homeDir: string): Promise<Device> {
  const held = await loadIdentity(homeDir, DEVICE_FILES).catch((thrown: unknown) => {
    throw thrown instanceof DrystoneError ? thrown : homeUnreadable(homeDir, thrown);
  });
  if (held?.identity.kind !== 'device') {
    const advice =
      'get a token by `drystone device token --account NAME` from an administrator (the first one finds theirs in ' +
      "metadata's data directory, in admin.token) and run `drystone login`";
    throw new DrystoneError('FAILED_PRECONDITION', 'IDENTITY_MISSING', `this device has not logged in; ${advice}`);
  }
  const { deviceId: id, account } = held.identity;
  return { id, account, held, transport: mutualTls(held) };
}

/** FAILED_PRECONDITION (DIRECTORY_UNUSABLE): what is in the home of a device cannot be read. */
export function homeUnreadable(homeDir: string, cause: unknown): DrystoneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `${homeDir}, the home of this device (--home), cannot be read: ${why}; name another`;
  return new DrystoneError('FAILED_PRECONDITION', 'DIRECTORY_UNUSABLE', message, {}, { cause });
}

/** Where a device's certificate is renewed, and where it is kept. */
export interface RenewalPlace {
  readonly homeDir: string;
  /** HOST:PORT of the metadata service. */
  readonly metadata: string;
}

/** What renewing the certificate of a device takes. */
export function renewalOf(
  { held, transport }: Device,
  { homeDir, metadata }: RenewalPlace,
  { clock, random, logger }: ProgramContext,
): RenewalOptions {
  return { held, dir: homeDir, name: DEVICE_FILES, address: metadata, transport, clock, random, logger };
}

/**
 * Opens the device in `homeDir` for something short, and renews its certificate first where that is due: who never runs
 * anything long keeps the device too. Raises what {@link openDevice} raises; a renewal that fails is tried again next time.
 */
export async function openDeviceBriefly(place: RenewalPlace, context: ProgramContext): Promise<Device> {
  const device = await openDevice(place.homeDir);
  await renewIfDue(renewalOf(device, place, context));
  return device;
}
