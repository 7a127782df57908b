import { DrystoneError } from '../../common/errors.js';
import type { DeviceName } from './conflict-view.js';
import { withFleet, type FleetConnection } from './fleet-connection.js';
import { listDevices } from './listings.js';
import type { FleetSettings } from './login-record.js';

/**
 * Whose the devices are of which this account may know: all for administrators, its own for others. Where metadata cannot be
 * asked none is known, which is no error: names are a courtesy.
 */
export async function readDeviceNames(
  settings: FleetSettings,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DeviceName>> {
  try {
    const devices = await withFleet(settings, (fleet) => visibleDevices(fleet, signal));
    return new Map(devices.map(({ deviceId, account, displayName }) => [deviceId, { account, displayName }]));
  } catch (thrown) {
    if (thrown instanceof DrystoneError && thrown.code !== 'CANCELLED') return new Map();
    throw thrown;
  }
}

async function visibleDevices(fleet: FleetConnection, signal: AbortSignal): ReturnType<typeof listDevices> {
  try {
    return await listDevices(fleet, undefined, signal);
  } catch (thrown) {
    if (!(thrown instanceof DrystoneError) || thrown.code !== 'PERMISSION_DENIED') throw thrown;
    return listDevices(fleet, fleet.device.account, signal);
  }
}
