import { openDeviceBriefly, type Device } from '../../client/connection/device.js';
import { parseHostPort } from '../../common/address.js';
import { DrystoneError } from '../../common/errors.js';
import { openChannel, type RpcChannel } from '../../common/rpc/client.js';
import type { ServiceCaller } from '../../common/rpc/method-types.js';
import { unknownHostMessage } from '../../common/rpc/unknown-host.js';
import { AccessServiceService } from '../../proto/gen/drystone/metadata/v1/access.js';
import { AdminServiceService } from '../../proto/gen/drystone/metadata/v1/admin.js';
import { createProgramContext } from '../program-context.js';
import { metadataAddress, type FleetSettings } from './login-record.js';

/** What is asked of the metadata service about the fleet, as this device. */
export interface FleetCalls {
  readonly admin: ServiceCaller<AdminServiceService>;
  readonly access: ServiceCaller<AccessServiceService>;
}

/** A connection to the metadata service, and who makes it. */
export interface FleetConnection extends FleetCalls {
  readonly device: Device;
  readonly channel: RpcChannel;
}

/** Calls `use` with a connection to the metadata service that the settings name, as the device whose home they name. */
export async function withFleet<T>(settings: FleetSettings, use: (fleet: FleetConnection) => Promise<T>): Promise<T> {
  const address = await metadataAddress(settings);
  const place = { homeDir: settings.home, metadata: address };
  const device = await openDeviceBriefly(place, createProgramContext('client', 'silent'));
  const channel = openChannel(address, device.transport.channelTo('metadata'));
  try {
    const [admin, access] = [channel.service(AdminServiceService), channel.service(AccessServiceService)];
    return await use({ admin, access, device, channel });
  } catch (thrown) {
    throw explainUnreachable(address, thrown);
  } finally {
    channel.close();
  }
}

/** An error that says what to do where no metadata service answers at `address`; any other error as it is. */
export function explainUnreachable(address: string, thrown: unknown): unknown {
  if (!(thrown instanceof DrystoneError) || thrown.code !== 'UNAVAILABLE' || thrown.reason !== 'TRANSPORT') {
    return thrown;
  }
  // It may as well have been an agent that does not answer.
  if (!thrown.message.includes(address)) return thrown;
  const what =
    thrown.message === unknownHostMessage(address)
      ? `: cannot find host ${parseHostPort('metadata', address).host}; check the name`
      : "; start one with 'drystone metadata serve'";
  const message = `no metadata service answers at ${address}${what}, or say where it is with --metadata`;
  return new DrystoneError('UNAVAILABLE', 'TRANSPORT', message, thrown.details, { cause: thrown });
}
