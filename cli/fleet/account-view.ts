import { DrystoneError } from '../../common/errors.js';
import type { Account, Device } from '../../proto/gen/drystone/metadata/v1/access.js';
import { formatTable, printable } from '../output/table.js';
import { formatMoment } from '../output/units.js';
import { accountRoles, roleName, type AccountRoleName } from './roles.js';

/** An account as `--json` shows it. */
export interface AccountDocument {
  readonly name: string;
  readonly role: AccountRoleName | 'unknown';
  /** Milliseconds since 1970 UTC. */
  readonly createdAtMs: number;
}

/** A device as `--json` shows it. */
export interface DeviceDocument {
  readonly deviceId: string;
  readonly account: string;
  /** How it called itself when it logged in. */
  readonly displayName: string;
  /** Milliseconds since 1970 UTC. */
  readonly enrolledAtMs: number;
  /** Milliseconds since 1970 UTC; absent where it has not been revoked. */
  readonly revokedAtMs: number | undefined;
}

/** An account as it comes over the wire, for `--json`. */
export function accountDocument(account: Account | undefined): AccountDocument {
  if (account === undefined) throw leftOut('account');
  const { name, role, createdAtMs } = account;
  return { name, role: roleName(accountRoles, role), createdAtMs: Number(createdAtMs) };
}

/** A device as it comes over the wire, for `--json`. */
export function deviceDocument(device: Device | undefined): DeviceDocument {
  if (device === undefined) throw leftOut('device');
  const { deviceId, account, displayName, enrolledAtMs, revokedAtMs } = device;
  return {
    deviceId,
    account,
    displayName,
    enrolledAtMs: Number(enrolledAtMs),
    revokedAtMs: revokedAtMs === 0n ? undefined : Number(revokedAtMs),
  };
}

/** Accounts as a table. */
export function formatAccounts(accounts: readonly AccountDocument[]): string {
  const columns = [{ heading: 'account' }, { heading: 'role' }, { heading: 'created (utc)' }];
  return formatTable(
    columns,
    accounts.map(({ name, role, createdAtMs }) => [name, role, formatMoment(createdAtMs)]),
  );
}

/** Devices as a table. */
export function formatDevices(devices: readonly DeviceDocument[]): string {
  if (devices.length === 0) return "No device has logged in yet; get it a token with 'drystone device token'.";
  const columns = [
    { heading: 'device' },
    { heading: 'account' },
    { heading: 'called' },
    { heading: 'logged in (utc)' },
    { heading: 'revoked (utc)' },
  ];
  const rows = devices.map(({ deviceId, account, displayName, enrolledAtMs, revokedAtMs }) => [
    deviceId,
    account,
    printable(displayName),
    formatMoment(enrolledAtMs),
    revokedAtMs === undefined ? 'no' : formatMoment(revokedAtMs),
  ]);
  return formatTable(columns, rows);
}

function leftOut(what: string): DrystoneError {
  return new DrystoneError('INTERNAL', 'INTERNAL', `the metadata service left the ${what} out of its answer`);
}
