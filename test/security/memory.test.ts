import type { ClientHttp2Session } from 'node:http2';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { HeldIdentity } from '../../common/identity/held-identity.js';
import { quietFor } from '../support/async-tools.js';
import { MetadataProcess } from '../support/security/metadata-process.js';

const MiB = 1024 * 1024;
/** What is sent and never finished: far more than it may cost. */
const CONNECTIONS = 10;
const CALLS_PER_CONNECTION = 4;
const UNFINISHED = Buffer.alloc(15 * MiB - 1);
/** What connections, calls and what they wait with cost, and the measurement is off by. */
const BOUND_BYTES = 32 * MiB;
/**
 * It is over when nothing more is taken; on a busy machine what is under way takes its time. Before the last look no connection
 * has been there for so long that the service would end it.
 */
const LOOKS = 6;
const LOOK_MS = 2000;

let metadata: MetadataProcess;

beforeEach(async () => {
  metadata = await MetadataProcess.start();
});

afterEach(() => metadata.stop());

/** Begins a call that announces a message of 15 MiB, and sends all of it but its last byte. */
function beginHugeMessage(session: ClientHttp2Session, path: string): void {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers);
  stream.on('error', () => undefined);
  stream.resume();
  const announcement = Buffer.alloc(5);
  announcement.writeUInt32BE(UNFINISHED.length + 1, 1);
  stream.write(announcement);
  stream.write(UNFINISHED);
}

/** What the service goes on holding more than before, while it is sent messages that do not end. */
async function heldFor(path: string, held?: HeldIdentity): Promise<number> {
  await metadata.serves();
  const before = await metadata.heldBytes();
  for (let index = 0; index < CONNECTIONS; index++) {
    const session = await metadata.http2(held);
    for (let call = 0; call < CALLS_PER_CONNECTION; call++) beginHugeMessage(session, path);
  }
  let more = Infinity;
  for (let look = 0; look < LOOKS && more >= BOUND_BYTES; look++) {
    await quietFor(LOOK_MS);
    more = (await metadata.heldBytes()) - before;
  }
  await metadata.serves();
  return more;
}

it.each(['/drystone.metadata.v1.EnrollmentService/Enroll', '/grpc.health.v1.Health/Watch'])(
  'who has no certificate makes the service hold little by messages that never end: %s',
  async (path) => {
    expect(await heldFor(path)).toBeLessThan(BOUND_BYTES);
  },
);

it('a device makes the service hold little by messages that are too long for their RPC', async () => {
  const { held } = await metadata.device();
  expect(await heldFor('/drystone.metadata.v1.AccessService/CreateAccount', held)).toBeLessThan(BOUND_BYTES);
});
