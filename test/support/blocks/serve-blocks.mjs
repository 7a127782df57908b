// A block server of its own, from dist/, for tests that kill it: serves the store at the path given as the only argument
// to every namespace, and prints its address.
import { Registry } from 'prom-client';
import { join } from 'node:path';
import { systemClock } from '../../../dist/common/clock.js';
import { createLogger } from '../../../dist/common/logging.js';
import { loadOrCreateSigningKey } from '../../../dist/common/program/signing-key.js';
import { plaintextCredentials } from '../../../dist/common/rpc/credentials.js';
import { createRpcServerMetrics } from '../../../dist/common/rpc/rpc-metrics.js';
import { startRpcServer } from '../../../dist/common/rpc/server.js';
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
const key = await loadOrCreateSigningKey(join(directory, 'agent.key'));
const receipts = createReceiptSigner(key, systemClock);
const server = await startRpcServer({
  listen: '127.0.0.1:0',
  credentials: plaintextCredentials().server,
  services: [createBlockService({ store, isAssigned: () => true, receipts, metrics, registry })],
  metrics: createRpcServerMetrics(registry, []),
  logger,
});
console.log(server.address);
