import { createServer, type AddressInfo } from 'node:net';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../common/clock.js';
import { DrystoneError } from '../../../../common/errors.js';
import {
  formatEnrollmentToken,
  type EnrollmentSubject,
  type EnrollmentToken,
} from '../../../../common/identity/enrollment-token.js';
import { loadIdentity } from '../../../../common/identity/identity-files.js';
import { joinFleet, type JoinOptions } from '../../../../common/identity/join.js';
import type { AccountName, PremisesName } from '../../../../common/ids.js';
import { openChannel } from '../../../../common/rpc/client.js';
import { mutualTls } from '../../../../common/rpc/transport-credentials.js';
import { readCertificateRequest } from '../../../../common/identity/certificates.js';
import { EnrollmentServiceService } from '../../../../proto/gen/drystone/metadata/v1/enrollment.js';
import { rejection } from '../../../support/async-tools.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';
import { EnrollmentServer } from '../../../support/trust/enrollment-server.js';
import { TestAuthority } from '../../../support/trust/test-authority.js';

const ana: EnrollmentSubject = { kind: 'device', account: 'ana' as AccountName };
const lisbon: EnrollmentSubject = { kind: 'agent', premises: 'lisbon' as PremisesName };

let authority: TestAuthority;
let server: EnrollmentServer;
let dir: string;
beforeEach(async () => {
  authority = await TestAuthority.create();
  server = new EnrollmentServer(authority);
  await server.start();
  dir = temporaryDirectory();
});
afterEach(() => server.stop());

function options(subject: EnrollmentSubject, override: Partial<JoinOptions> = {}): JoinOptions {
  const token: EnrollmentToken = {
    subject,
    id: Buffer.alloc(16, 1),
    secret: Buffer.alloc(32, 2),
    caFingerprint: authority.ca.fingerprint,
  };
  return {
    address: server.address,
    token,
    tokenText: `${formatEnrollmentToken(token)}\n`,
    dir,
    displayName: 'Ana’s laptop',
    clock: systemClock,
    random: seededRandom('join'),
    ...override,
  };
}

describe('joining a fleet', () => {
  it.each([
    ['a device', ana, 'device'],
    ['an agent', lisbon, 'agent'],
  ] as const)('makes %s of somebody: a key, a certificate, files for their owner alone', async (_, subject, name) => {
    const held = await joinFleet(options(subject));
    expect(held.identity).toMatchObject(subject);
    const [request] = server.enrolled;
    expect(request).toMatchObject({ token: options(subject).tokenText.trim(), displayName: 'Ana’s laptop' });
    const asked = await readCertificateRequest('certificate_request', request!.certificateRequest);
    expect(asked.identity).toEqual(held.identity);
    const loaded = await loadIdentity(dir, name);
    expect(loaded?.identity).toEqual(held.identity);
    expect(loaded?.credential).toEqual(held.credential);
    expect((await readdir(dir)).sort()).toEqual([`${name}.crt`, `${name}.key`, 'fleet-ca.crt'].sort());
    for (const file of await readdir(dir)) expect((await stat(join(dir, file))).mode & 0o777, file).toBe(0o600);
    const channel = openChannel(server.address, mutualTls(held).channelTo('metadata'));
    onTestFinished(() => channel.close());
    await channel.service(EnrollmentServiceService).renewCertificate(request!);
    expect(server.renewed).toHaveLength(1);
  });

  it('may be repeated: the key stays, and so does who it is', async () => {
    const first = await joinFleet(options(ana));
    const key = await readFile(join(dir, 'device.key'), 'utf8');
    const second = await joinFleet(options(ana));
    expect(second.identity).toEqual(first.identity);
    expect(await readFile(join(dir, 'device.key'), 'utf8')).toBe(key);
  });

  it('outlives an answer that was lost, and a service that is busy', async () => {
    server.failures.push(
      new DrystoneError('UNAVAILABLE', 'DRAINING', 'later'),
      new DrystoneError('RESOURCE_EXHAUSTED', 'RATE_LIMITED', 'later', { retryAfterMs: 1 }),
    );
    expect((await joinFleet(options(ana))).identity).toMatchObject(ana);
    expect(server.enrolled).toHaveLength(3);
  });

  it('fails at once where the token does not count, and leaves no certificate', async () => {
    server.failures.push(new DrystoneError('UNAUTHENTICATED', 'TOKEN_INVALID', 'used up'));
    expect(await rejection(joinFleet(options(ana)))).toMatchObject({ reason: 'TOKEN_INVALID' });
    expect(server.enrolled).toHaveLength(1);
    expect(await loadIdentity(dir, 'device')).toBeUndefined();
  });

  it('sends nothing to a server of another CA: SERVER_UNTRUSTED', async () => {
    const token = { ...options(ana).token, caFingerprint: Buffer.alloc(32, 7) };
    const error = await rejection(joinFleet(options(ana, { token })));
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'SERVER_UNTRUSTED' });
    expect(server.enrolled).toHaveLength(0);
    expect(await loadIdentity(dir, 'device')).toBeUndefined();
  });

  it('sends no secret to one who listens in place of the service', async () => {
    const heard: Buffer[] = [];
    const listener = createServer((socket) => socket.on('data', (chunk) => heard.push(chunk)).resume());
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void listener.close());
    const address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
    const asked = options(ana, { address });
    void joinFleet(asked).catch(() => undefined);
    await expect.poll(() => heard.length).toBeGreaterThan(0);
    const all = Buffer.concat(heard);
    for (const secret of [asked.token.secret, Buffer.from(asked.tokenText.slice(11, 40)), asked.token.id]) {
      expect(all.includes(secret)).toBe(false);
    }
  });

  it.each<[string, () => Promise<Parameters<typeof server.answers.push>[0]>]>([
    ['nothing', async () => undefined],
    ['no certificate', async () => ({ certificateChain: '', trustedCertificates: '', expiresAtMs: 0n })],
    [
      'a certificate for somebody else',
      async () => {
        const { credential } = await authority.device('ben');
        return { ...credential, expiresAtMs: 0n };
      },
    ],
    [
      'more than a chain of certificates may have',
      async () => {
        const { credential } = await authority.device('ana');
        return { ...credential, trustedCertificates: credential.trustedCertificates.repeat(100), expiresAtMs: 0n };
      },
    ],
  ])('believes no answer with %s', async (_, answer) => {
    server.answers.push(await answer());
    const error = (await rejection(joinFleet(options(ana)))) as Error;
    expect(error).toMatchObject({ code: 'INTERNAL' });
    expect(error.message).toContain('device ana/');
    expect(await loadIdentity(dir, 'device')).toBeUndefined();
  });
});
