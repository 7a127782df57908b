import { FeedServiceService } from '../../proto/gen/drystone/feed/v1/feed.js';
import { AccountServiceService } from '../../proto/gen/drystone/metadata/v1/account.js';
import { LocatorServiceService } from '../../proto/gen/drystone/metadata/v1/locator.js';
import { PresenceServiceService } from '../../proto/gen/drystone/metadata/v1/presence.js';
import type { RpcChannel } from '../../common/rpc/client.js';
import type { ServiceCaller } from '../../common/rpc/method-types.js';

/** What a client asks of metadata. */
export interface MetadataCalls {
  readonly account: ServiceCaller<AccountServiceService>;
  readonly locator: ServiceCaller<LocatorServiceService>;
  readonly presence: ServiceCaller<PresenceServiceService>;
  readonly feed: ServiceCaller<FeedServiceService>;
}

/** The metadata service at the other end of `channel`. */
export function connectMetadata(channel: RpcChannel): MetadataCalls {
  return {
    account: channel.service(AccountServiceService),
    locator: channel.service(LocatorServiceService),
    presence: channel.service(PresenceServiceService),
    feed: channel.service(FeedServiceService),
  };
}
