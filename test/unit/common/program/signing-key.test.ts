import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AgentId } from '../../../../common/ids.js';
import { loadOrCreateSigningKey } from '../../../../common/program/signing-key.js';
import { publicKeyOfRaw } from '../../../../common/receipt.js';
import { rejection } from '../../../support/async-tools.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

let path: string;
const load = () => loadOrCreateSigningKey<AgentId>(path);

beforeEach(() => {
  path = join(temporaryDirectory(), 'agent.key');
});

describe('loadOrCreateSigningKey', () => {
  it('makes a key on the first start, for its owner alone, and is the same on the next', async () => {
    const first = await load();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const second = await load();
    expect(second.id).toBe(first.id);
    expect(second.publicKey.equals(first.publicKey)).toBe(true);
  });

  it('gives an id that follows from the public key, and a key pair that fits', async () => {
    const { id, privateKey, publicKey } = await load();
    expect(publicKey).toHaveLength(32);
    expect(id).toBe(createHash('sha256').update(publicKey).digest('hex').slice(0, 32));
    const message = Buffer.from('signed');
    expect(verify(null, message, publicKeyOfRaw(publicKey), sign(null, message, privateKey))).toBe(true);
  });

  it('does not keep the wider mode of a file that an earlier attempt has left', async () => {
    writeFileSync(`${path}.new`, 'half a key', { mode: 0o644 });
    await load();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['nothing', ''],
    ['no key', 'not a key'],
    [
      'a key of another kind',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
  ])('refuses a file with %s: KEY_UNREADABLE, and leaves it as it is', async (_, content) => {
    writeFileSync(path, content);
    const error = await rejection(load());
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'KEY_UNREADABLE' });
    expect((error as Error).message).toContain(path);
    expect(readFileSync(path, 'utf8')).toBe(content);
  });
});
