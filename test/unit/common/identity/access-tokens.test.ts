import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccessGrant } from '../../../../common/identity/access-right.js';
import { AccessTokenVerifier, signAccessToken } from '../../../../common/identity/access-tokens.js';
import type { AccountName, DeviceId, NamespaceId } from '../../../../common/ids.js';
import { trustLimits } from '../../../../common/limits.js';
import { rawPublicKey } from '../../../../common/receipt.js';
import { rejection } from '../../../support/async-tools.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { newKey } from '../../../support/trust/test-authority.js';

const NOW_MS = 1_900_000_000_000;
const { accessTokenMs, accessTokenSkewMs } = trustLimits;
const namespace = (digit: string) => digit.repeat(32) as NamespaceId;
const key = { id: 'k1', privateKey: newKey().privateKey };
const tokenKey = (id: string, privateKey: KeyObject) => ({ id, publicKey: rawPublicKey(privateKey) });

const grant: AccessGrant = {
  device: 'd'.repeat(32) as DeviceId,
  account: 'ana' as AccountName,
  namespaces: new Map([
    [namespace('a'), 'read'],
    [namespace('b'), 'write'],
  ]),
  issuedAtMs: NOW_MS,
  expiresAtMs: NOW_MS + accessTokenMs,
};

let clock: ManualClock;
let verifier: AccessTokenVerifier;
beforeEach(() => {
  clock = new ManualClock(NOW_MS);
  verifier = new AccessTokenVerifier(clock);
  verifier.replaceKeys([tokenKey('k1', key.privateKey)]);
});

const invalid = { code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' };
const expired = { code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' };

describe('an access token', () => {
  it('grants what was signed', async () => {
    expect(await verifier.verify(await signAccessToken(grant, key))).toEqual(grant);
  });

  it('keeps whole seconds, rounded down: it never lasts longer than what was granted', async () => {
    const token = await signAccessToken({ ...grant, issuedAtMs: NOW_MS + 999, expiresAtMs: NOW_MS + 5999 }, key);
    expect(await verifier.verify(token)).toMatchObject({ issuedAtMs: NOW_MS, expiresAtMs: NOW_MS + 5000 });
  });

  it('fits its limits with as many namespaces as it may have', async () => {
    const many = Array.from({ length: trustLimits.namespacesPerAccessToken }, (_, at) =>
      at.toString(16).padStart(32, '0'),
    );
    const namespaces = new Map(many.map((id) => [id as NamespaceId, 'write' as const]));
    const account = 'a'.repeat(64) as AccountName;
    const token = await signAccessToken({ ...grant, account, namespaces }, { ...key, id: 'k'.repeat(64) });
    expect(token.length).toBeLessThan(trustLimits.accessTokenLength / 2);
    verifier.replaceKeys([tokenKey('k'.repeat(64), key.privateKey)]);
    expect((await verifier.verify(token)).namespaces).toEqual(namespaces);
  });
});

describe('its times', () => {
  it('count until its end and the skew after it, and no longer: TOKEN_EXPIRED', async () => {
    const token = await signAccessToken(grant, key);
    clock.advance(accessTokenMs + accessTokenSkewMs - 1000);
    expect(await verifier.verify(token)).toEqual(grant);
    clock.advance(1000);
    const error = await rejection(verifier.verify(token));
    expect(error).toMatchObject(expired);
    expect((error as Error).message).not.toContain(token);
  });

  it('may be the skew ahead of the verifier’s clock, and no more: TOKEN_INVALID', async () => {
    const ahead = (byMs: number) =>
      signAccessToken({ ...grant, issuedAtMs: NOW_MS + byMs, expiresAtMs: NOW_MS + byMs + 1000 }, key);
    expect(await verifier.verify(await ahead(accessTokenSkewMs))).toBeDefined();
    expect(await rejection(verifier.verify(await ahead(accessTokenSkewMs + 1000)))).toMatchObject(invalid);
  });

  it('last no longer than a token may: TOKEN_INVALID', async () => {
    const lasting = (forMs: number) => signAccessToken({ ...grant, expiresAtMs: NOW_MS + forMs }, key);
    expect(await verifier.verify(await lasting(accessTokenMs + accessTokenSkewMs))).toBeDefined();
    expect(await rejection(verifier.verify(await lasting(accessTokenMs + accessTokenSkewMs + 1000)))).toMatchObject(
      invalid,
    );
  });
});

describe('keys', () => {
  it('are known by their id: one that is not known, or not any more, signs nothing that counts', async () => {
    const token = await signAccessToken(grant, key);
    verifier.replaceKeys([tokenKey('k2', key.privateKey)]);
    expect(await rejection(verifier.verify(token))).toMatchObject(invalid);
    verifier.replaceKeys([]);
    expect(await rejection(verifier.verify(token))).toMatchObject(invalid);
  });

  it('that share an id do not stand for each other', async () => {
    const other = { id: 'k1', privateKey: newKey().privateKey };
    expect(await rejection(verifier.verify(await signAccessToken(grant, other)))).toMatchObject(invalid);
  });

  it('overlap while one replaces the other', async () => {
    const next = { id: 'k2', privateKey: newKey().privateKey };
    verifier.replaceKeys([tokenKey('k1', key.privateKey), tokenKey('k2', next.privateKey)]);
    expect(await verifier.verify(await signAccessToken(grant, key))).toEqual(grant);
    expect(await verifier.verify(await signAccessToken(grant, next))).toEqual(grant);
  });

  it('that are no keys, or too many, are refused and leave those before them in force', async () => {
    const publicKey = rawPublicKey(key.privateKey);
    expect(() => verifier.replaceKeys([{ id: 'k1', publicKey: publicKey.subarray(1) }])).toThrow('32 bytes');
    const many = Array.from({ length: trustLimits.tokenKeys + 1 }, (_, at) => ({ id: `${at}`, publicKey }));
    expect(() => verifier.replaceKeys(many)).toThrow('at most');
    expect(await verifier.verify(await signAccessToken(grant, key))).toEqual(grant);
  });
});

describe('forgeries', () => {
  const encode = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const header = { alg: 'EdDSA', kid: 'k1', typ: 'at+jwt' };
  const claims = {
    iss: 'drystone',
    aud: 'blocks',
    sub: grant.device,
    acct: 'ana',
    ns: { [namespace('a')]: 'w' },
    iat: NOW_MS / 1000,
    exp: (NOW_MS + 60_000) / 1000,
  };
  const without = (name: keyof typeof claims) =>
    Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
  const signed = (head: unknown, body: unknown, privateKey = key.privateKey): string => {
    const text = `${encode(head)}.${encode(body)}`;
    return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
  };

  it('are made so that the honest one among them counts', async () => {
    expect(await verifier.verify(signed(header, claims))).toMatchObject({ account: 'ana' });
  });

  const forged: Readonly<Record<string, () => string>> = {
    nothing: () => '',
    'no token': () => 'token',
    'three empty parts': () => '..',
    'a token without a signature': () => `${encode(header)}.${encode(claims)}.`,
    'alg none': () => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
    'alg none, signed': () => signed({ ...header, alg: 'none' }, claims),
    'alg HS256 with the public key as the secret': () => {
      const text = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
      return `${text}.${createHmac('sha256', rawPublicKey(key.privateKey)).update(text).digest('base64url')}`;
    },
    'alg ES256': () => {
      const text = `${encode({ ...header, alg: 'ES256' })}.${encode(claims)}`;
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${text}.${signature.toString('base64url')}`;
    },
    'no alg': () => signed({ kid: 'k1', typ: 'at+jwt' }, claims),
    'another key': () => signed(header, claims, newKey().privateKey),
    'a key in the header': () => {
      const { privateKey } = newKey();
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: rawPublicKey(privateKey).toString('base64url') };
      return signed({ ...header, jwk }, claims, privateKey);
    },
    'no key id': () => signed({ alg: 'EdDSA', typ: 'at+jwt' }, claims),
    'an unknown key id': () => signed({ ...header, kid: '__proto__' }, claims),
    'another type': () => signed({ ...header, typ: 'JWT' }, claims),
    'no type': () => signed({ alg: 'EdDSA', kid: 'k1' }, claims),
    'something critical in the header': () => signed({ ...header, crit: ['b64'], b64: false }, claims),
    'another issuer': () => signed(header, { ...claims, iss: 'elsewhere' }),
    'another audience': () => signed(header, { ...claims, aud: 'metadata' }),
    'claims that are a list': () => signed(header, [claims]),
    'claims that are a text': () => signed(header, '"claims"'),
    'claims that are null': () => signed(header, 'null'),
    'claims that are no JSON': () => signed(header, '{"iss":'),
    'a header that is no JSON': () => signed('{', claims),
    'a device that is none': () => signed(header, { ...claims, sub: 'ana' }),
    'a device that is a number': () => signed(header, { ...claims, sub: 7 }),
    'an account that is none': () => signed(header, { ...claims, acct: 'Ana Maria' }),
    'an account that is a list': () => signed(header, { ...claims, acct: [['ana']] }),
    'an account that is missing in all but name': () => signed(header, { ...claims, acct: null }),
    'namespaces that are a text': () => signed(header, { ...claims, ns: 'all' }),
    'namespaces that are a list': () => signed(header, { ...claims, ns: ['w'] }),
    'namespaces that are null': () => signed(header, { ...claims, ns: null }),
    'a namespace that is none': () => signed(header, { ...claims, ns: { '*': 'w' } }),
    'a right that is none': () => signed(header, { ...claims, ns: { [namespace('a')]: 'rw' } }),
    'a right that is a list': () => signed(header, { ...claims, ns: { [namespace('a')]: ['w'] } }),
    'too many namespaces': () => {
      const ids = Array.from({ length: trustLimits.namespacesPerAccessToken + 1 }, (_, at) =>
        `${at}`.padStart(32, '0'),
      );
      return signed(header, { ...claims, ns: Object.fromEntries(ids.map((id) => [id, 'r'])) });
    },
    'a time that is a text': () => signed(header, { ...claims, exp: String(claims.exp) }),
    'no end of time': () => signed(header, JSON.stringify({ ...claims, exp: 0 }).replace('"exp":0', '"exp":1e999')),
    'no beginning of time': () =>
      signed(header, JSON.stringify({ ...claims, iat: 0 }).replace('"iat":0', '"iat":-1e999')),
    ...Object.fromEntries(
      (['iss', 'aud', 'sub', 'acct', 'ns', 'iat', 'exp'] as const).map((name) => [
        `no ${name}`,
        () => signed(header, without(name)),
      ]),
    ),
    'more than it may be long': () => signed(header, { ...claims, more: 'x'.repeat(trustLimits.accessTokenLength) }),
  };

  it.each(Object.keys(forged))('%s: TOKEN_INVALID, and the token is not repeated', async (what) => {
    const token = forged[what]!();
    const error = (await rejection(verifier.verify(token))) as Error;
    expect(error).toMatchObject(invalid);
    if (token.length > 10) expect(error.message).not.toContain(token.slice(0, 10));
  });

  it('by any changed character do not count', async () => {
    const token = await signAccessToken(grant, key);
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      const outcome = await verifier.verify(changed).catch((error: unknown) => error);
      // The last character of a part has bits that mean nothing.
      if (outcome instanceof Error) expect(outcome).toMatchObject(invalid);
      else expect(outcome).toEqual(grant);
    }
  });
});
