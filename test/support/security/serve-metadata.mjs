// A metadata service in a process of its own, from dist/, for tests that measure what it holds in memory: runs on the data
// directory given as the only argument. Says where it listens, and answers every message of its parent with what it holds
// after a full garbage collection, in bytes.
import { Registry } from 'prom-client';
import { systemClock } from '../../../dist/common/clock.js';
import { silentLogger } from '../../../dist/common/logging.js';
import { systemRandom } from '../../../dist/common/random.js';
import { startMetadata } from '../../../dist/metadata/program.js';

const [dataDir] = process.argv.slice(2);
const config = { dataDir, engine: 'memory', listen: '127.0.0.1:0', http: undefined };
const context = { clock: systemClock, random: systemRandom, logger: silentLogger(), registry: new Registry() };
const metadata = await startMetadata({ ...config, serverCertificate: undefined, recoverAdmin: true }, context);
process.send({ address: metadata.address, adminTokenFile: metadata.adminTokenFile });
process.on('message', () => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  process.send({ heldBytes: heapUsed + external });
});
