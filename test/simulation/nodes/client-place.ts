import type { KeyObject } from 'node:crypto';
import type { AccountName, DeviceId, NamespaceName } from '../../../common/ids.js';

/** Who a client is, and where. */
export interface ClientPlace {
  readonly name: string;
  readonly device: DeviceId;
  readonly signingKey: KeyObject;
  readonly account: AccountName;
  readonly site: string;
  readonly namespace: NamespaceName;
  readonly skewMs: number;
  /** How it finds other clients; undefined where it has nothing to do with them. */
  readonly peers: 'metadata and lan' | 'only lan' | undefined;
}
