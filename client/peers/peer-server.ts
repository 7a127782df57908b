import { Registry } from 'prom-client';
import type { Clock } from '../../common/clock.js';
import type { AccessTokenVerifier } from '../../common/identity/access-tokens.js';
import type { TokenTime } from '../../common/identity/offline-grace.js';
import type { NamespaceId } from '../../common/ids.js';
import type { Logger } from '../../common/logging.js';
import { CallGate } from '../../common/rpc/call-gate.js';
import { createRpcServerMetrics } from '../../common/rpc/rpc-metrics.js';
import { startRpcServer, type RpcServer, type ServedService } from '../../common/rpc/server.js';
import type { IdentifyingServerCredentials } from '../../common/rpc/transport-credentials.js';
import { tokenAccess, type BlockAccess } from '../../server/block-access.js';
import { createBlockMetrics } from '../../server/block-metrics.js';
import { createBlockReadService } from '../../server/block-service.js';
import type { BlockReader } from '../../server/block-store.js';

/** An endpoint that gives blocks, as whoever has started it sees it. */
export type PeerServer = Pick<RpcServer, 'address' | 'drain'>;

export interface PeerServiceParts {
  readonly namespaceId: NamespaceId;
  /** Knows the keys of access tokens as metadata last told them. */
  readonly verifier: Pick<AccessTokenVerifier, 'verify'>;
  /** As of when it judges, and streams that are open with it. */
  readonly tokenTime: TokenTime;
  /** What is given. */
  readonly store: BlockReader;
  /** What is said to be held. */
  readonly holds: Pick<BlockReader, 'sizes'>;
  /** What is served beside the blocks, to whom the same access lets in. */
  readonly services: (access: BlockAccess) => readonly ServedService[];
  readonly clock: Clock;
  /** Nobody scrapes an endpoint: what it counts of its own is in the summary of its sync. */
  readonly registry: Registry;
}

export interface PeerServerOptions extends Omit<PeerServiceParts, 'registry'> {
  /** HOST:PORT; port 0 takes a free one. */
  readonly listen: string;
  /** Those of the device. */
  readonly credentials: IdentifyingServerCredentials;
  readonly logger: Logger;
}

/**
 * The blocks of one namespace, and what goes with them, for devices whose access tokens open it, which are verified here: an
 * endpoint asks nobody whom it may give to.
 */
export function peerServices(parts: PeerServiceParts): readonly ServedService[] {
  const { namespaceId, verifier, tokenTime, store, holds, services, clock, registry } = parts;
  const metrics = createBlockMetrics(registry);
  const access = tokenAccess({
    verifier,
    isAssigned: (asked) => asked === namespaceId,
    isRevoked: () => false,
    clock,
    time: tokenTime,
    metrics,
  });
  return [createBlockReadService({ store, holds, signs: clock, access, metrics, registry }), ...services(access)];
}

/** Serves {@link peerServices} over gRPC. Raises what `startRpcServer` raises. */
export function startPeerServer(options: PeerServerOptions): Promise<RpcServer> {
  const { listen, credentials, clock, logger } = options;
  const registry = new Registry();
  return startRpcServer({
    listen,
    credentials,
    services: peerServices({ ...options, registry }),
    gate: new CallGate({ clock }),
    metrics: createRpcServerMetrics(registry, []),
    logger,
  });
}
