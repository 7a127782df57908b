import { serve, type ServedService } from '../../common/rpc/server.js';
import { AccessServiceService } from '../../proto/gen/drystone/metadata/v1/access.js';
import type { AccessParts } from './access/access-parts.js';
import { accountHandlers } from './access/account-handlers.js';
import { auditHandlers } from './access/audit-handlers.js';
import { holderHandlers } from './access/holder-handlers.js';
import { memberHandlers } from './access/member-handlers.js';

/** AccessService (proto/drystone/metadata/v1/access.proto). */
export function accessRoutes(parts: AccessParts): ServedService {
  return serve(
    AccessServiceService,
    { ...accountHandlers(parts), ...holderHandlers(parts), ...memberHandlers(parts), ...auditHandlers(parts) },
    {
      audience: {
        createAccount: 'device',
        setAccountRole: 'device',
        listAccounts: 'device',
        issueAgentToken: 'device',
        issueDeviceToken: 'device',
        listDevices: 'device',
        revokeDevice: 'device',
        revokeAgent: 'device',
        shareNamespace: 'device',
        unshareNamespace: 'device',
        listMembers: 'device',
        listAuditEntries: 'device',
      },
    },
  );
}
