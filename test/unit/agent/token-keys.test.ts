import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeptTokenKeys } from '../../../agent/token-keys.js';
import { systemClock } from '../../../common/clock.js';
import { AccessTokenVerifier } from '../../../common/identity/access-tokens.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import { trustLimits } from '../../../common/limits.js';
import { rawPublicKey } from '../../../common/receipt.js';
import { rejection } from '../../support/async-tools.js';
import { BlockFleet, newTokenKey, type SigningTokenKey } from '../../support/blocks/block-fleet.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const [first, second] = [newTokenKey('k1'), newTokenKey('k2')];
const publicOf = ({ id, privateKey }: SigningTokenKey) => ({ id, publicKey: rawPublicKey(privateKey) });
const fleet = await BlockFleet.create();
const device: HeldIdentity = await fleet.authority.device();

let path: string;
let verifier: AccessTokenVerifier;

beforeEach(() => {
  path = join(temporaryDirectory(), 'token-keys.json');
  verifier = new AccessTokenVerifier(systemClock);
});

/** Which of the two keys are believed. */
async function believed(by = verifier): Promise<string[]> {
  const ids = [];
  for (const key of [first, second]) {
    const token = await fleet.token(device, undefined, { key });
    if (await by.verify(token).then(Boolean, () => false)) ids.push(key.id);
  }
  return ids;
}

describe('kept token keys', () => {
  it('are none at first: no token counts', async () => {
    await KeptTokenKeys.load(path, verifier);
    expect(await believed()).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  it('are what was told last, after a restart too', async () => {
    const keys = await KeptTokenKeys.load(path, verifier);
    await keys.replace([publicOf(first)]);
    expect(await believed()).toEqual(['k1']);
    await keys.replace([publicOf(first), publicOf(second)]);
    expect(await believed()).toEqual(['k1', 'k2']);
    await keys.replace([publicOf(second)]);
    expect(await believed()).toEqual(['k2']);
    const restarted = new AccessTokenVerifier(systemClock);
    await KeptTokenKeys.load(path, restarted);
    expect(await believed(restarted)).toEqual(['k2']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('are in force though they could not be written, and are written by the next telling', async () => {
    const keys = await KeptTokenKeys.load(path, verifier);
    // Not by permissions: the tests may be run by root.
    mkdirSync(`${path}.new`);
    await rejection(keys.replace([publicOf(first)]));
    expect(await believed()).toEqual(['k1']);
    expect(existsSync(path)).toBe(false);
    rmSync(`${path}.new`, { recursive: true });
    await keys.replace([publicOf(first)]);
    expect(existsSync(path)).toBe(true);
  });

  it('stay as they are where what is told are no keys, or too many', async () => {
    const keys = await KeptTokenKeys.load(path, verifier);
    await keys.replace([publicOf(first)]);
    const text = readFileSync(path, 'utf8');
    const many = Array.from({ length: trustLimits.tokenKeys + 1 }, (_, index) => publicOf(newTokenKey(`k${index}`)));
    for (const told of [[{ id: 'k2', publicKey: Buffer.alloc(31) }], many]) {
      expect(await rejection(keys.replace(told))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(await believed()).toEqual(['k1']);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it.each(['', '{', '[]', '{"keys":[{"id":"k1"}]}', '{"keys":[{"id":"k1","publicKey":"AAAA"}]}'])(
    'in a damaged file are an error that names it: %j',
    async (text) => {
      writeFileSync(path, text);
      const error = await rejection(KeptTokenKeys.load(path, verifier));
      expect(error).toMatchObject({ code: 'INTERNAL', reason: 'STORE_FAILED' });
      expect((error as Error).message).toContain(path);
    },
  );
});
