import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  certificateTimes,
  fingerprintOf,
  identityOfCertificate,
  splitCertificates,
} from '../../../../common/identity/certificate-facts.js';
import { createCaFiles } from '../../../../common/identity/certificates.js';
import { trustLimits } from '../../../../common/limits.js';
import { systemRandom } from '../../../../common/random.js';
import { rawPublicKey } from '../../../../common/receipt.js';
import type { MetadataStore } from '../../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { FleetCa } from '../../../../metadata/trust/fleet-ca.js';
import { keepServerIdentity, openServerIdentity } from '../../../../metadata/trust/server-identity.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';
import { newKey } from '../../../support/trust/test-authority.js';

const START_MS = 1_800_000_000_000;

describe('FleetCa', () => {
  let dataDir: string;
  let store: MetadataStore;
  let clock: ManualClock;

  beforeEach(() => {
    dataDir = temporaryDirectory();
    store = createMemoryStore();
    clock = new ManualClock(START_MS);
  });

  const open = () => FleetCa.open({ dataDir, audit: store.audit, clock, random: systemRandom });
  const file = (name: string) => join(dataDir, 'ca', name);
  const mode = (name: string) => statSync(file(name)).mode & 0o777;
  const audited = async () => {
    const query = { after: 0, maxEntries: 100, namespace: undefined, account: undefined };
    return (await store.audit.list(query)).entries.map(({ actor, action, subject }) => `${actor} ${action} ${subject}`);
  };
  /** Puts a CA of an operator's own into the directory. */
  async function place(): Promise<void> {
    const { keyPem, certificatePem } = await createCaFiles({ nowMs: START_MS, serial: systemRandom.bytes(16) });
    mkdirSync(join(dataDir, 'ca'), { recursive: true });
    writeFileSync(file('ca.key'), keyPem, { mode: 0o644 });
    writeFileSync(file('ca.crt'), certificatePem);
  }

  it('is made on the first start, its key for its owner alone, and is the same from then on', async () => {
    const first = await open();
    expect(readdirSync(dataDir)).toEqual(['ca']);
    expect(readdirSync(join(dataDir, 'ca')).sort()).toEqual(['ca.crt', 'ca.key', 'last-fingerprints']);
    expect([mode('ca.key'), statSync(join(dataDir, 'ca')).mode & 0o777]).toEqual([0o600, 0o700]);
    const second = await open();
    expect(second.fingerprint).toEqual(first.fingerprint);
    expect(second.trustedCertificates).toBe(readFileSync(file('ca.crt'), 'utf8'));
    expect(await audited()).toEqual([`metadata ca.create ${first.fingerprint.toString('hex')}`]);
  });

  it('begins anew where its making was cut short', async () => {
    mkdirSync(join(dataDir, 'ca.new'));
    writeFileSync(join(dataDir, 'ca.new', 'ca.key'), 'half');
    mkdirSync(join(dataDir, 'ca'));
    await open();
    expect(readdirSync(dataDir)).toEqual(['ca']);
  });

  it("takes an operator's own, whenever it comes, and says so once", async () => {
    await place();
    const own = await open();
    expect(mode('ca.key')).toBe(0o600);
    await open();
    await place();
    const replacement = await open();
    expect(replacement.fingerprint).not.toEqual(own.fingerprint);
    expect(await audited()).toEqual(
      [own, replacement].map(({ fingerprint }) => `metadata ca.import ${fingerprint.toString('hex')}`),
    );
  });

  it('says whom else it trusts, once for each, and goes on when the one that issues becomes one of the others', async () => {
    const first = await open();
    const own = readFileSync(file('ca.crt'), 'utf8');
    await place();
    const replacement = readFileSync(file('ca.crt'), 'utf8');
    writeFileSync(file('ca.crt'), replacement + own);
    const second = await open();
    await open();
    expect(splitCertificates(second.trustedCertificates)).toHaveLength(2);
    const fingerprints = [first, second].map(({ fingerprint }) => fingerprint.toString('hex'));
    expect(await audited()).toEqual([
      `metadata ca.create ${fingerprints[0]!}`,
      `metadata ca.import ${fingerprints[1]!}`,
    ]);
    const { certificatePem } = await createCaFiles({ nowMs: START_MS, serial: systemRandom.bytes(16) });
    writeFileSync(file('ca.crt'), replacement + certificatePem);
    await open();
    expect(await audited()).toContain(`metadata ca.import ${fingerprintOf(certificatePem).toString('hex')}`);
    expect(await audited()).toHaveLength(3);
  });

  it.each(['ca.key', 'ca.crt'])('does not make another in the place of one that has lost its %s', async (lost) => {
    await open();
    rmSync(file(lost));
    const left = readdirSync(join(dataDir, 'ca'));
    await expect(open()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'KEY_UNREADABLE' });
    expect(readdirSync(join(dataDir, 'ca'))).toEqual(left);
    for (const name of ['ca.key', 'ca.crt']) rmSync(file(name), { force: true });
    await expect(open()).rejects.toMatchObject({ reason: 'KEY_UNREADABLE' });
  });

  it('refuses a key that is not that of the certificate', async () => {
    await place();
    const { privateKey } = newKey();
    writeFileSync(file('ca.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await expect(open()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'KEY_UNREADABLE' });
    expect(await audited()).toEqual([]);
  });

  it('certifies nothing when its own time is over', async () => {
    await open();
    clock.advance(trustLimits.caCertificateMs);
    await expect(open()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'CERTIFICATE_EXPIRED' });
  });

  it('issues certificates that it has signed, for a month, and no two alike', async () => {
    const ca = await open();
    const { privateKey } = newKey();
    const issue = () => ca.issue({ kind: 'metadata' }, rawPublicKey(privateKey));
    const credential = await issue();
    const [leaf, last] = splitCertificates(credential.certificateChain).map((pem) => new X509Certificate(pem));
    expect(leaf!.verify(last!.publicKey)).toBe(true);
    expect(identityOfCertificate(leaf!.raw)).toEqual({ kind: 'metadata' });
    expect(last!.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(ca.fingerprint.toString('hex'));
    expect(certificateTimes(credential.certificateChain)).toEqual({
      notBeforeMs: START_MS - trustLimits.certificateBackdateMs,
      notAfterMs: START_MS + trustLimits.certificateMs,
    });
    expect(credential).toMatchObject({ expiresAtMs: START_MS + trustLimits.certificateMs });
    const serials = [credential, await issue()].map((each) => new X509Certificate(each.certificateChain).serialNumber);
    expect(new Set(serials).size).toBe(2);
  });

  it('gives the service itself a certificate over the key that it keeps, and the next before the last ends', async () => {
    const ca = await open();
    const held = await openServerIdentity(dataDir, ca);
    expect(statSync(join(dataDir, 'server.key')).mode & 0o777).toBe(0o600);
    expect(rawPublicKey((await openServerIdentity(dataDir, ca)).privateKey)).toEqual(rawPublicKey(held.privateKey));
    const first = held.credential;
    const replaced: number[] = [];
    held.onChange(() => replaced.push(clock.nowMs()));
    const end = new AbortController();
    const watching = keepServerIdentity(held, ca, clock, end.signal);
    for (let day = 0; day < 60; day++) {
      await eventually(() => clock.sleepingMs.length).toBe(1);
      expect(held.credential.expiresAtMs).toBeGreaterThan(clock.nowMs());
      clock.advance(24 * 60 * 60 * 1000);
    }
    expect(replaced.length).toBeGreaterThanOrEqual(2);
    expect(replaced[0]).toBeLessThan(first.expiresAtMs - trustLimits.certificateMs / 4);
    expect(new X509Certificate(held.credential.certificateChain).checkPrivateKey(held.privateKey)).toBe(true);
    end.abort();
    await watching;
  });

  it('reads its files also where they cannot be changed', async () => {
    await open();
    chmodSync(file('ca.crt'), 0o444);
    chmodSync(file('ca.key'), 0o400);
    await open();
    expect(mode('ca.key')).toBe(0o400);
  });
});
