// A block server of its own, from dist/, for tests that kill it: serves the store below the data directory given as the
// only argument to every namespace, with the identity and the token keys in that directory, and prints its address.
import { Registry } from 'prom-client';
import { join } from 'node:path';
import { KeptTokenKeys } from '../../../dist/agent/token-keys.js';
import { systemClock } from '../../../dist/common/clock.js';
import { AccessTokenVerifier } from '../../../dist/common/identity/access-tokens.js';
import { loadIdentity } from '../../../dist/common/identity/identity-files.js';
import { createLogger } from '../../../dist/common/logging.js';
import { CallGate } from '../../../dist/common/rpc/call-gate.js';
import { createRpcServerMetrics } from '../../../dist/common/rpc/rpc-metrics.js';
import { startRpcServer } from '../../../dist/common/rpc/server.js';
import { mutualTls } from '../../../dist/common/rpc/transport-credentials.js';
import { tokenAccess } from '../../../dist/server/block-access.js';
import { createBlockMetrics } from '../../../dist/server/block-metrics.js';
import { createBlockService } from '../../../dist/server/block-service.js';
import { openBlockStore } from '../../../dist/server/open-block-store.js';
import { createReceiptSigner } from '../../../dist/server/receipt-signer.js';

const [directory] = process.argv.slice(2);
const registry = new Registry();
const logger = createLogger('serve-blocks', 'error');
const metrics = createBlockMetrics(registry);
const path = join(directory, 'blocks');
const store = await openBlockStore({ path, clock: systemClock, logger, registry, metrics, freeFloorBytes: 0 });
const held = await loadIdentity(directory, 'agent');
const verifier = new AccessTokenVerifier(systemClock);
await KeptTokenKeys.load(join(directory, 'token-keys.json'), verifier);
const access = tokenAccess({ verifier, isAssigned: () => true, isRevoked: () => false, clock: systemClock, metrics });
const receipts = createReceiptSigner({ id: held.identity.agentId, privateKey: held.privateKey }, systemClock);
const server = await startRpcServer({
  listen: '127.0.0.1:0',
  credentials: mutualTls(held).server,
  gate: new CallGate({ clock: systemClock }),
  services: [createBlockService({ store, access, receipts, metrics, registry })],
  metrics: createRpcServerMetrics(registry, []),
  logger,
});
console.log(server.address);
