import type { RpcChannel } from '../../../common/rpc/client.js';
import type { ServiceCaller } from '../../../common/rpc/method-types.js';
import { FeedServiceService } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { AccessServiceService } from '../../../proto/gen/drystone/metadata/v1/access.js';
import { AccountServiceService } from '../../../proto/gen/drystone/metadata/v1/account.js';
import { AdminServiceService } from '../../../proto/gen/drystone/metadata/v1/admin.js';
import { EnrollmentServiceService } from '../../../proto/gen/drystone/metadata/v1/enrollment.js';
import { FleetServiceService } from '../../../proto/gen/drystone/metadata/v1/fleet.js';
import { LocatorServiceService } from '../../../proto/gen/drystone/metadata/v1/locator.js';
import { PresenceServiceService } from '../../../proto/gen/drystone/metadata/v1/presence.js';

export interface MetadataCalls {
  readonly access: ServiceCaller<typeof AccessServiceService>;
  readonly account: ServiceCaller<typeof AccountServiceService>;
  readonly admin: ServiceCaller<typeof AdminServiceService>;
  readonly enrollment: ServiceCaller<typeof EnrollmentServiceService>;
  readonly feed: ServiceCaller<typeof FeedServiceService>;
  readonly fleet: ServiceCaller<typeof FleetServiceService>;
  readonly locator: ServiceCaller<typeof LocatorServiceService>;
  readonly presence: ServiceCaller<typeof PresenceServiceService>;
}

/** The calls of the metadata service over a channel. */
export function metadataCalls(channel: RpcChannel): MetadataCalls {
  return {
    access: channel.service(AccessServiceService),
    account: channel.service(AccountServiceService),
    admin: channel.service(AdminServiceService),
    enrollment: channel.service(EnrollmentServiceService),
    feed: channel.service(FeedServiceService),
    fleet: channel.service(FleetServiceService),
    locator: channel.service(LocatorServiceService),
    presence: channel.service(PresenceServiceService),
  };
}
