import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HeldIdentity } from '../../../../common/identity/held-identity.js';
import { identityKeyPath, loadIdentity, storeCredential } from '../../../../common/identity/identity-files.js';
import { rejection } from '../../../support/async-tools.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';
import { newKey, TestAuthority } from '../../../support/trust/test-authority.js';

const pemOf = ({ privateKey }: Pick<HeldIdentity, 'privateKey'>): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

let dir: string;
let authority: TestAuthority;
let held: HeldIdentity;
beforeEach(async () => {
  dir = temporaryDirectory();
  authority = await TestAuthority.create();
  held = await authority.device();
  await writeFile(identityKeyPath(dir, 'device'), pemOf(held));
});

describe('the files of an identity', () => {
  it('are not there before there is a certificate', async () => {
    expect(await loadIdentity(dir, 'device')).toBeUndefined();
  });

  it('hold what was stored, for their owner alone', async () => {
    await storeCredential(dir, 'device', held.credential);
    const loaded = await loadIdentity(dir, 'device');
    expect(loaded?.identity).toEqual(held.identity);
    expect(loaded?.credential).toEqual(held.credential);
    expect(pemOf(loaded!)).toBe(pemOf(held));
    expect(await loadIdentity(dir, 'agent')).toBeUndefined();
    for (const name of ['device.crt', 'fleet-ca.crt']) {
      expect((await stat(join(dir, name))).mode & 0o777, name).toBe(0o600);
    }
  });

  it('hold the newest', async () => {
    await storeCredential(dir, 'device', held.credential);
    const next = await authority.hold(held.identity, held.privateKey, { fromMs: 0, untilMs: 5_000_000 });
    await storeCredential(dir, 'device', next.credential);
    expect((await loadIdentity(dir, 'device'))?.credential).toEqual(next.credential);
  });

  const spoil: Readonly<Record<string, () => Promise<void>>> = {
    'the key is missing': () => rm(join(dir, 'device.key')),
    'the key is another': () => writeFile(join(dir, 'device.key'), pemOf(newKey())),
    'the key is none': () => writeFile(join(dir, 'device.key'), 'key'),
    'the CA is missing': () => rm(join(dir, 'fleet-ca.crt')),
    'the CA is none': () => writeFile(join(dir, 'fleet-ca.crt'), ''),
    'the certificate is none': () => writeFile(join(dir, 'device.crt'), ''),
    'the certificate is an agent’s': async () => {
      const agent = await authority.agent();
      await writeFile(join(dir, 'device.key'), pemOf(agent));
      await writeFile(join(dir, 'device.crt'), agent.credential.certificateChain);
    },
  };

  it.each(Object.keys(spoil))(
    'are refused where %s: KEY_UNREADABLE, with what to do and without the key',
    async (what) => {
      await storeCredential(dir, 'device', held.credential);
      await spoil[what]!();
      const error = (await rejection(loadIdentity(dir, 'device'))) as Error;
      expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'KEY_UNREADABLE' });
      expect(error.message).toContain(dir);
      expect(error.message).toContain('one-time token');
      expect(error.message).not.toContain('PRIVATE');
      expect(await readFile(join(dir, 'device.crt'), 'utf8')).toBeDefined();
    },
  );
});
