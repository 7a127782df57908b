import type { Clock } from '../../../common/clock.js';
import type { Implementation } from '../../../common/rpc/method-types.js';
import type { AccessServiceService } from '../../../proto/gen/drystone/metadata/v1/access.js';
import type { Namespaces } from '../../directory/namespaces.js';
import type { Fleet } from '../../fleet/fleet.js';
import type { MetadataStore } from '../../store/contract.js';
import type { Access } from '../../trust/access.js';
import type { EnrollmentTokens } from '../../trust/enrollment-tokens.js';

export interface AccessParts {
  readonly access: Access;
  readonly store: Pick<MetadataStore, 'accounts' | 'audit' | 'directory'>;
  readonly tokens: EnrollmentTokens;
  readonly namespaces: Namespaces;
  readonly fleet: Fleet;
  readonly clock: Clock;
}

/** The handlers of AccessService, which are in several files. */
export type AccessHandlers = Implementation<typeof AccessServiceService>;
