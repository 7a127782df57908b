import { beforeEach, expect, it } from 'vitest';
import { AccessTokens } from '../../../../client/connection/access-tokens.js';
import { tokenKeeperIn } from '../../../../client/connection/kept-token.js';
import { DrystoneError } from '../../../../common/errors.js';
import type { NamespaceId } from '../../../../common/ids.js';
import { trustLimits } from '../../../../common/limits.js';
import type { IssueAccessTokenRequest } from '../../../../proto/gen/drystone/metadata/v1/account.js';
import { ManualClock } from '../../../support/manual-clock.js';

const { accessTokenMs, accessTokenReserveMs } = trustLimits;
const reports = 'a'.repeat(32) as NamespaceId;
const minutes = 'b'.repeat(32) as NamespaceId;

let clock: ManualClock;
/** How far metadata's calendar is ahead of ours. */
let aheadMs: number;
let asked: string[];
let refusal: DrystoneError | undefined;
let isAway: boolean;
let tokens: AccessTokens;

beforeEach(() => {
  clock = new ManualClock();
  aheadMs = 0;
  isAway = false;
  asked = [];
  refusal = undefined;
  tokens = new AccessTokens({ account: { issueAccessToken: issue }, clock, isAway: () => isAway });
});

async function issue({ namespaceIds }: IssueAccessTokenRequest) {
  asked.push(namespaceIds.join());
  const number = asked.length;
  await Promise.resolve();
  if (refusal !== undefined) throw refusal;
  return {
    accessToken: `token ${number}`,
    expiresAtMs: BigInt(clock.nowMs() + aheadMs + accessTokenMs),
    tokenKeys: [{ keyId: 'key', publicKey: Buffer.alloc(32, 1) }],
  };
}

it('a token serves until less than the reserve is left of it', async () => {
  expect(await tokens.tokenFor(reports)).toBe('token 1');
  clock.advance(accessTokenMs - accessTokenReserveMs - 1);
  expect(await tokens.tokenFor(reports)).toBe('token 1');
  clock.advance(1);
  expect(await tokens.tokenFor(reports)).toBe('token 2');
  expect(asked).toEqual([reports, reports]);
});

it('those who want one at the same time share one call, and each namespace has its own', async () => {
  const wanted = [reports, minutes, reports].map((namespaceId) => tokens.tokenFor(namespaceId));
  expect(await Promise.all(wanted)).toEqual(['token 1', 'token 2', 'token 1']);
  expect(asked).toEqual([reports, minutes]);
});

it.each([
  ['ahead of', 3_600_000],
  ['behind', -60_000],
])('how far the calendar of metadata is %s ours does not stretch a token', async (_where, difference) => {
  aheadMs = difference;
  await tokens.tokenFor(reports);
  clock.advance(accessTokenMs - accessTokenReserveMs);
  expect(await tokens.tokenFor(reports)).toBe('token 2');
});

it('a token that a server refused is not given out again', async () => {
  const refused = await tokens.tokenFor(reports);
  expect(await tokens.tokenFor(reports, refused)).toBe('token 2');
  expect(await tokens.tokenFor(reports, refused)).toBe('token 2');
  tokens.forget();
  expect(await tokens.tokenFor(reports)).toBe('token 3');
});

it('while metadata cannot be reached the old token serves on, but not where a server has refused it', async () => {
  await tokens.tokenFor(reports);
  refusal = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'nobody answers');
  clock.advance(accessTokenMs + 1);
  expect(await tokens.tokenFor(reports)).toBe('token 1');
  tokens.forget();
  expect(await tokens.tokenFor(reports)).toBe('token 1');
  await expect(tokens.tokenFor(reports, 'token 1')).rejects.toBe(refusal);
  refusal = undefined;
  expect(await tokens.tokenFor(reports)).toBe('token 5');
});

it('metadata that is known to be away is not asked where there is a token', async () => {
  await tokens.tokenFor(reports);
  isAway = true;
  clock.advance(accessTokenMs);
  expect(await tokens.tokenFor(reports)).toBe('token 1');
  expect(asked).toHaveLength(1);
  expect(await tokens.tokenFor(minutes)).toBe('token 2');
});

it('the last token and the keys for those of others are there again after a start', async () => {
  const texts = new Map<string, string>();
  const keeper = tokenKeeperIn('/folder', {
    read: (path) => Promise.resolve(texts.get(path)),
    write: (path, text) => Promise.resolve(void texts.set(path, text)),
  });
  const account = { issueAccessToken: issue };
  await new AccessTokens({ account, clock, keeper }).tokenFor(reports);
  const told: unknown[] = [];
  const onTokenKeys = (keys: unknown): unknown => told.push(keys);
  const next = new AccessTokens({ account, clock, keeper, onTokenKeys, isAway: () => isAway });
  await next.restore();
  isAway = true;
  expect(await next.tokenFor(reports)).toBe('token 1');
  expect(told).toEqual([[{ id: 'key', publicKey: Buffer.alloc(32, 1) }]]);
  isAway = false;
  expect(await next.tokenFor(reports), 'renewed as soon as that can be').toBe('token 2');
});

it('that metadata refuses is not made up for by the old token', async () => {
  await tokens.tokenFor(reports);
  refusal = new DrystoneError('NOT_FOUND', 'NAMESPACE_UNKNOWN', 'no such namespace');
  clock.advance(accessTokenMs - accessTokenReserveMs);
  await expect(tokens.tokenFor(reports)).rejects.toBe(refusal);
});
