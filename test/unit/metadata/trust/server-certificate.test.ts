import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../common/clock.js';
import { parseEnrollmentToken } from '../../../../common/identity/enrollment-token.js';
import { joinFleet } from '../../../../common/identity/join.js';
import { systemRandom } from '../../../../common/random.js';
import { openChannel } from '../../../../common/rpc/client.js';
import { mutualTls } from '../../../../common/rpc/transport-credentials.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { FleetCa } from '../../../../metadata/trust/fleet-ca.js';
import { readServerCertificate } from '../../../../metadata/trust/server-certificate.js';
import { metadataCalls } from '../../../support/metadata/calls.js';
import { startBareMetadata } from '../../../support/metadata/service.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';
import { certificateNaming } from '../../../support/trust/odd-certificates.js';
import { newKey, TestAuthority } from '../../../support/trust/test-authority.js';

const UNUSABLE = { code: 'FAILED_PRECONDITION', reason: 'KEY_UNREADABLE' };

describe("an operator's own server certificate", () => {
  let dataDir: string;
  let company: TestAuthority;
  let files: { certificateFile: string; keyFile: string };

  /** Writes a certificate of the company's CA for a host, and the fleet's CA beside it. */
  beforeEach(async () => {
    dataDir = temporaryDirectory();
    files = {
      certificateFile: join(temporaryDirectory(), 'server.crt'),
      keyFile: join(temporaryDirectory(), 'server.key'),
    };
    company = await TestAuthority.create();
    const fleet = await TestAuthority.create();
    mkdirSync(join(dataDir, 'ca'));
    writeFileSync(join(dataDir, 'ca', 'ca.key'), fleet.keyPem);
    writeFileSync(join(dataDir, 'ca', 'ca.crt'), fleet.ca.certificatePem + company.ca.certificatePem);
    const { privateKey } = newKey();
    writeFileSync(
      files.certificateFile,
      await certificateNaming(company, privateKey, [{ type: 'dns', value: 'localhost' }]),
    );
    writeFileSync(files.keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  });

  async function read(clock = systemClock) {
    const { audit } = createMemoryStore();
    const ca = await FleetCa.open({ dataDir, audit, clock: systemClock, random: systemRandom });
    return readServerCertificate(files, ca, clock);
  }

  it('is what those who join know the service by, and those who have joined speak to', async () => {
    const program = await startBareMetadata({ dataDir, listen: 'localhost:0', serverCertificate: files });
    onTestFinished(() => program.stop());
    const tokenText = readFileSync(program.adminTokenFile!, 'utf8');
    const token = parseEnrollmentToken('token', tokenText);
    expect(token.caFingerprint).toEqual(company.ca.fingerprint);
    const dir = temporaryDirectory();
    const { address } = program;
    const context = { clock: systemClock, random: systemRandom };
    const held = await joinFleet({ address, token, tokenText, dir, displayName: 'desk', ...context });
    const channel = openChannel(address, mutualTls(held).channelTo('metadata'));
    onTestFinished(() => channel.close());
    const { accounts } = await metadataCalls(channel).access.listAccounts({ pageSize: 0, pageToken: '' });
    expect(accounts.map(({ name }) => name)).toEqual(['admin']);
    const text = await program.registry.metrics();
    const left = /^drystone_identity_certificate_seconds_left (.+)$/m.exec(text)?.[1];
    expect(Number(left)).toBeGreaterThan(0);
    // That of the certificate which is shown, an hour, and not that of the fleet's, a month.
    expect(Number(left)).toBeLessThanOrEqual(3600);
  });

  it('is refused with the key of another', async () => {
    writeFileSync(files.keyFile, newKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await expect(read()).rejects.toMatchObject(UNUSABLE);
  });

  it('is refused where the fleet does not trust who has signed it, for nobody could verify it', async () => {
    const fleet = await TestAuthority.create();
    writeFileSync(join(dataDir, 'ca', 'ca.key'), fleet.keyPem);
    writeFileSync(join(dataDir, 'ca', 'ca.crt'), fleet.ca.certificatePem);
    await expect(read()).rejects.toMatchObject(UNUSABLE);
  });

  it.each([
    ['without the CA that has signed it', (text: string) => text.slice(0, text.indexOf('-----END') + 25)],
    ['that is none', () => 'hello'],
  ])('is refused %s', async (_what, change) => {
    writeFileSync(files.certificateFile, change(readFileSync(files.certificateFile, 'utf8')));
    await expect(read()).rejects.toMatchObject(UNUSABLE);
  });

  it('is refused when its time is over', async () => {
    const later = new ManualClock(Date.now() + 24 * 3_600_000);
    const expired = { code: 'FAILED_PRECONDITION', reason: 'CERTIFICATE_EXPIRED' };
    await expect(read(later)).rejects.toMatchObject(expired);
  });

  it('is refused where a file is missing, and nothing stays open', async () => {
    const serverCertificate = { ...files, keyFile: join(dataDir, 'nowhere.key') };
    await expect(startBareMetadata({ dataDir, serverCertificate })).rejects.toMatchObject(UNUSABLE);
    const program = await startBareMetadata({ dataDir });
    await program.stop();
  });
});
