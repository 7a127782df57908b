import { parseDeviceId } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { deviceDocument } from '../fleet/account-view.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { fleetSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { id } from '../settings/values.js';

export const deviceRevoke = defineCommand({
  description:
    'At once at metadata, and at agents within a quarter of an hour, when its last access token ends. Administrators revoke ' +
    'every device, everybody their own. The same key never logs in again; the account can, with a new one.',
  examples: [{ command: 'drystone device revoke 0c9e…', comment: 'a laptop that was lost' }],
  positionals: { id: required(id(parseDeviceId), 'as `drystone device list` shows it') },
  flags: {},
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, settings, terminal, signal }) {
    const request = { deviceId: positionals.id };
    const { device } = await withFleet(settings, ({ access }) => access.revokeDevice(request, { signal }));
    const document = deviceDocument(device);
    terminal.result(document, () => `device ${document.deviceId} of ${document.account} is revoked`);
    return undefined;
  },
});
