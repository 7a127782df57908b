import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccessGrant } from '../../../common/identity/access-right.js';
import { AccessTokenVerifier, signAccessToken } from '../../../common/identity/access-tokens.js';
import { judgedAtLastWord, type TokenTime } from '../../../common/identity/offline-grace.js';
import type { AccountName, DeviceId, NamespaceId } from '../../../common/ids.js';
import { trustLimits } from '../../../common/limits.js';
import { rawPublicKey } from '../../../common/receipt.js';
import { tokenAccess, type StreamAccess } from '../../../server/block-access.js';
import { createBlockMetrics } from '../../../server/block-metrics.js';
import { eventually } from '../../support/eventually.js';
import { ManualClock } from '../../support/manual-clock.js';
import { newKey } from '../../support/trust/test-authority.js';

const NOW_MS = 1_900_000_000_000;
const { accessTokenMs, accessTokenSkewMs, offlineGraceMs, offlineCheckMs } = trustLimits;
const key = { id: 'k1', privateKey: newKey().privateKey };
const namespaceId = 'a'.repeat(32) as NamespaceId;
const device = 'd'.repeat(32) as DeviceId;
const account = 'ana' as AccountName;
const expired = { code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' };
const invalid = { code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' };

/** One who may be cut off from metadata, and was last heard by it now. */
let clock: ManualClock;
let lastWord: { atMs: number | undefined };
let time: TokenTime;

beforeEach(() => {
  clock = new ManualClock(NOW_MS);
  lastWord = { atMs: NOW_MS };
  time = judgedAtLastWord(clock, lastWord);
});

/** A token that was issued now, and opens a stream. */
async function open(accessToken?: string): Promise<StreamAccess> {
  const verifier = new AccessTokenVerifier(clock, time);
  verifier.replaceKeys([{ id: key.id, publicKey: rawPublicKey(key.privateKey) }]);
  const metrics = createBlockMetrics(new Registry());
  const access = tokenAccess({ verifier, isAssigned: () => true, isRevoked: () => false, clock, time, metrics });
  const caller = { kind: 'device', deviceId: device, account } as const;
  return access.check({ caller, accessToken: accessToken ?? (await issued()) });
}

function issued(): Promise<string> {
  const grant: AccessGrant = {
    device,
    account,
    namespaces: new Map([[namespaceId, 'write']]),
    issuedAtMs: clock.nowMs(),
    expiresAtMs: clock.nowMs() + accessTokenMs,
  };
  return signAccessToken(grant, key);
}

describe('who is cut off from metadata', () => {
  it('goes on taking a token that had not ended when metadata was last heard, for the time of the grace', async () => {
    const token = await issued();
    clock.advance(offlineGraceMs);
    (await open(token)).require(namespaceId, 'write');
    clock.advance(1);
    await expect(open(token)).rejects.toMatchObject(invalid);
  });

  it('takes none that had ended by then', async () => {
    const token = await issued();
    clock.advance(accessTokenMs + accessTokenSkewMs);
    lastWord.atMs = clock.nowMs();
    clock.advance(1);
    await expect(open(token)).rejects.toMatchObject(expired);
  });

  it('believes no key once the grace is over, not of new tokens either', async () => {
    clock.advance(offlineGraceMs + 1);
    await expect(open()).rejects.toMatchObject(invalid);
  });

  it('believes nobody where metadata was never heard', async () => {
    lastWord.atMs = undefined;
    await expect(open()).rejects.toMatchObject(invalid);
  });

  it('is not taken in by a clock that was set back', async () => {
    const token = await issued();
    lastWord.atMs = NOW_MS + 10 * accessTokenMs;
    (await open(token)).require(namespaceId, 'write');
    clock.advance(accessTokenMs + accessTokenSkewMs);
    await expect(open(token)).rejects.toMatchObject(expired);
  });

  it('keeps a stream open beyond the end of its token, and ends it soon after metadata is heard again', async () => {
    const access = await open();
    const ended: unknown[] = [];
    access.whenExpired((error) => ended.push(error));
    clock.advance(accessTokenMs + accessTokenSkewMs);
    await eventually(() => clock.sleepingMs).toEqual([offlineCheckMs]);
    access.require(namespaceId, 'write');
    clock.advance(offlineCheckMs);
    await eventually(() => clock.sleepingMs).toEqual([offlineCheckMs]);
    expect(ended).toEqual([]);
    lastWord.atMs = clock.nowMs();
    expect(() => access.require(namespaceId, 'write')).toThrow(expect.objectContaining(expired));
    clock.advance(offlineCheckMs);
    await eventually(() => ended).toEqual([expect.objectContaining(expired)]);
  });

  it('ends a stream with the grace', async () => {
    const access = await open();
    clock.advance(offlineGraceMs + 1);
    expect(() => access.require(namespaceId, 'read')).toThrow(expect.objectContaining(expired));
  });
});
