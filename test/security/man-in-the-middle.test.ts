import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type SecureContextOptions, type Server } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseEnrollmentToken } from '../../common/identity/enrollment-token.js';
import type { HeldIdentity } from '../../common/identity/held-identity.js';
import { joinFleet } from '../../common/identity/join.js';
import { systemClock } from '../../common/clock.js';
import { systemRandom } from '../../common/random.js';
import { openChannel } from '../../common/rpc/client.js';
import { mutualTls } from '../../common/rpc/transport-credentials.js';
import { collect, rejection, streamOf } from '../support/async-tools.js';
import { attempt } from '../support/blocks/attempts.js';
import { NAMESPACE, blockOf } from '../support/blocks/sample-blocks.js';
import { FleetUnderAttack } from '../support/security/fleet-under-attack.js';
import { TestAuthority } from '../support/trust/test-authority.js';
import { blockMethods } from '../../server/block-codec.js';

let fleet: FleetUnderAttack;
let dir: string;
let impostor: Server | undefined;
/** All that an impostor was sent beneath the encryption. */
let overheard: Buffer[];

beforeEach(async () => {
  fleet = await FleetUnderAttack.start();
  dir = mkdtempSync(join(tmpdir(), 'drystone-victim-'));
  overheard = [];
});

afterEach(async () => {
  impostor?.close();
  impostor = undefined;
  await fleet.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Somebody who answers in the place of a server, with this certificate, and listens. */
async function impersonate(shown: SecureContextOptions): Promise<string> {
  const server = createServer({ ...shown, ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('data', (data: Buffer) => overheard.push(data)).on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  impostor = server;
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

const keyPem = ({ privateKey }: HeldIdentity): string => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

async function token(): Promise<string> {
  const { access } = fleet.metadata.calls;
  return (await access.issueAgentToken({ premises: 'lisbon', validSeconds: 0 })).token;
}

async function joinAt(address: string, text: string): Promise<unknown> {
  return joinFleet({
    address,
    token: parseEnrollmentToken('token', text),
    tokenText: text,
    dir,
    displayName: '',
    clock: systemClock,
    random: systemRandom,
  });
}

const impostors: readonly [string, () => Promise<SecureContextOptions>][] = [
  [
    'a CA of their own',
    async () => {
      const held = await (await TestAuthority.create()).metadata();
      return { cert: held.credential.certificateChain, key: keyPem(held) };
    },
  ],
  [
    'a CA of their own, and the certificate of the right one behind it',
    async () => {
      const held = await (await TestAuthority.create()).metadata();
      const cert = held.credential.certificateChain + fleet.authority.ca.certificatePem;
      return { cert, key: keyPem(held) };
    },
  ],
  [
    'the certificate of a device of the fleet',
    async () => {
      const { held } = await fleet.device('mallory');
      return { cert: held.credential.certificateChain, key: keyPem(held) };
    },
  ],
  [
    'the certificate of an agent of the fleet',
    async () => ({ cert: fleet.agentHeld.credential.certificateChain, key: keyPem(fleet.agentHeld) }),
  ],
  [
    'the right certificate of a metadata service whose time is over',
    async () => {
      const held = await fleet.authority.metadata({ fromMs: -2 * 86_400_000, untilMs: -86_400_000 });
      return { cert: held.credential.certificateChain, key: keyPem(held) };
    },
  ],
];

it.each(impostors)('who joins tells nothing to one who answers for metadata with %s', async (_, shown) => {
  const address = await impersonate(await shown());
  const text = await token();
  expect(await rejection(joinAt(address, text))).toMatchObject({
    code: 'UNAUTHENTICATED',
    reason: 'SERVER_UNTRUSTED',
  });
  expect(Buffer.concat(overheard).length).toBe(0);
  expect((await readdir(dir)).filter((name) => name.endsWith('.crt'))).toEqual([]);
  // It has cost nothing: the token is still good, at the right address.
  await joinAt(fleet.metadata.program.address, text);
});

it.each(impostors)('a device that has joined tells nothing to one who answers with %s', async (_, shown) => {
  const address = await impersonate(await shown());
  const { held } = await fleet.device('ana');
  const channel = openChannel(address, mutualTls(held).channelTo('metadata'));
  const refusal = await rejection(attemptAnything(channel));
  channel.close();
  expect(refusal).toMatchObject({ reason: 'SERVER_UNTRUSTED' });
  expect(Buffer.concat(overheard).length).toBe(0);
});

it('a token whose fingerprint was changed for that of the impostor opens nothing at the right metadata', async () => {
  const other = await TestAuthority.create();
  const [kind = '', subject = '', secret = ''] = (await token()).split(':');
  const bytes = Buffer.from(secret, 'base64url');
  other.ca.fingerprint.copy(bytes, 48);
  const tampered = [kind, subject, bytes.toString('base64url')].join(':');
  expect(await rejection(joinAt(fleet.metadata.program.address, tampered))).toMatchObject({
    code: 'UNAUTHENTICATED',
    reason: 'SERVER_UNTRUSTED',
  });
});

it('a device, or another agent, is not taken for the agent at its address', async () => {
  const [device, other] = [await fleet.device('mallory'), await fleet.authority.agent()];
  const { held } = await fleet.device('ana');
  for (const liar of [device.held, other]) {
    const address = await impersonate({ cert: liar.credential.certificateChain, key: keyPem(liar) });
    const channel = openChannel(address, mutualTls(held).channelTo(fleet.agentId));
    const calls = channel.service(blockMethods);
    const refusal = await rejection(
      collect(attempt('PutBlocks', calls, NAMESPACE, streamOf(blockOf('a secret')), { accessToken: 'a token' })),
    );
    channel.close();
    impostor?.close();
    expect(refusal).toMatchObject({ reason: 'SERVER_UNTRUSTED' });
    expect(Buffer.concat(overheard).length).toBe(0);
  }
});

function attemptAnything(channel: ReturnType<typeof openChannel>): Promise<unknown> {
  return collect(attempt('HasBlocks', channel.service(blockMethods), NAMESPACE, streamOf(blockOf('x'))));
}
