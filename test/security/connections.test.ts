import { afterEach, beforeEach, expect, it } from 'vitest';
import { MetadataProcess } from '../support/security/metadata-process.js';

const KiB = 1024;
/** What a connection may cost the service, in its heap and buffers. */
const BYTES_PER_CONNECTION = 96 * KiB;

let metadata: MetadataProcess;

beforeEach(async () => {
  metadata = await MetadataProcess.start();
});

afterEach(() => metadata.stop());

/** The beginning of a TLS greeting, byte by byte. */
const GREETING = Buffer.from('1603010200010001fc0303', 'hex');

/** The preface of HTTP/2, empty settings, and a header block that is announced and never ends. */
const UNENDED_HEADERS = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from('000000040000000000', 'hex'),
  Buffer.from('000100010000000001', 'hex'),
]);

function trickle(bytes: Buffer, write: (byte: Buffer) => unknown): () => void {
  let at = 0;
  const timer = setInterval(() => {
    if (at < bytes.length) write(bytes.subarray(at, ++at));
  }, 700);
  return () => clearInterval(timer);
}

it('who never finishes what he begins is cut off, and others are served meanwhile', { timeout: 300_000 }, async () => {
  const { held } = await metadata.device();
  const stops: (() => void)[] = [];
  const ends: Promise<unknown>[] = [];
  for (let index = 0; index < 60; index++) {
    const { socket, closed } = metadata.tcp('127.0.0.2');
    // Some say nothing at all, some a byte now and then.
    if (index % 2 === 0) stops.push(trickle(GREETING, (byte) => socket.write(byte)));
    ends.push(closed);
  }
  for (const caller of [undefined, held]) {
    const socket = await metadata.tls(caller, '127.0.0.3');
    ends.push(new Promise((resolve) => socket.once('close', resolve)));
    socket.resume();
    stops.push(trickle(UNENDED_HEADERS, (byte) => socket.write(byte)));
  }
  await metadata.serves();
  await Promise.all(ends);
  await metadata.serves();
  for (const stop of stops) stop();
});

it('a thousand idle connections cost a bounded amount of memory, and others are served', async () => {
  await metadata.serves();
  const before = await metadata.heldBytes();
  let open = 0;
  for (let device = 0; open < 1000; device++) {
    const { held } = await metadata.device();
    for (let index = 0; index < 60 && open < 1000; index++, open++) await metadata.http2(held);
  }
  const more = (await metadata.heldBytes()) - before;
  console.log(`${open} idle connections hold ${Math.round(more / open / KiB)} KiB each`);
  expect(more).toBeLessThan(open * BYTES_PER_CONNECTION);
  await metadata.serves();
});
