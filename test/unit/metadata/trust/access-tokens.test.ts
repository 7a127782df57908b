import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessTokenVerifier } from '../../../../common/identity/access-tokens.js';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import { trustLimits } from '../../../../common/limits.js';
import { MemberRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import type { TestCaller } from '../../../support/metadata/callers.js';
import type { HeartbeatLine } from '../../../support/metadata/heartbeats.js';
import { namespaceIdNamed, sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';

const lisbon = sampleAgent('lisbon');

describe('AccountService.IssueAccessToken', () => {
  let metadata: TestMetadata;
  let clock: ManualClock;
  let shared: TestNamespace;
  let ana: TestCaller<DeviceIdentity>;

  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    metadata = await TestMetadata.start({ clock });
    shared = await metadata.namespace('shared', lisbon);
    ana = await metadata.asDevice('ana');
  });
  afterEach(() => metadata.stop());

  const issue = (...namespaceIds: readonly string[]) => ana.calls.account.issueAccessToken({ namespaceIds });

  /** A verifier with the keys that an agent has been told of. */
  function verifierOf({ tokenKeys }: HeartbeatLine): AccessTokenVerifier {
    const verifier = new AccessTokenVerifier(clock);
    verifier.replaceKeys(tokenKeys);
    return verifier;
  }

  it('says who the device is and what it may do, so that an agent can verify it by itself', async () => {
    const second = await metadata.namespace('second', lisbon);
    const third = await metadata.namespace('third', lisbon);
    await shared.share('ana', MemberRole.READER);
    await second.share('ana', MemberRole.EDITOR);
    await third.share('ana', MemberRole.OWNER);
    const { accessToken, expiresAtMs } = await issue(shared.id, second.id, third.id);
    const grant = await verifierOf(await metadata.online(lisbon)).verify(accessToken);
    expect(grant).toMatchObject({ device: ana.identity.deviceId, account: 'ana', expiresAtMs: Number(expiresAtMs) });
    expect(grant.expiresAtMs - grant.issuedAtMs).toBe(trustLimits.accessTokenMs);
    expect([...grant.namespaces]).toEqual([
      [shared.id, 'read'],
      [second.id, 'write'],
      [third.id, 'write'],
    ]);
    expect(await metadata.metric('drystone_metadata_tokens_issued_total{kind="access"}')).toBe(1);
  });

  it('does not last', async () => {
    await shared.share('ana', MemberRole.READER);
    const { accessToken } = await issue(shared.id);
    const keys = verifierOf(await metadata.online(lisbon));
    clock.advance(trustLimits.accessTokenMs - 1000);
    await keys.verify(accessToken);
    clock.advance(trustLimits.accessTokenSkewMs + 1000);
    await expect(keys.verify(accessToken)).rejects.toMatchObject({ reason: 'TOKEN_EXPIRED' });
  });

  it('opens no namespace of which the account is no member, and none beside one', async () => {
    const unknown = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' };
    await expect(issue(shared.id)).rejects.toMatchObject(unknown);
    const other = await metadata.namespace('other', lisbon);
    await other.share('ana', MemberRole.OWNER);
    await expect(issue(other.id, shared.id)).rejects.toMatchObject(unknown);
    await expect(issue(namespaceIdNamed('nowhere'))).rejects.toMatchObject(unknown);
    expect(await metadata.metric('drystone_metadata_tokens_issued_total{kind="access"}')).toBe(0);
  });

  it.each<[what: string, field: string, ids: readonly string[]]>([
    ['no namespace', 'namespace_ids', []],
    ['too many', 'namespace_ids', Array<string>(trustLimits.namespacesPerAccessToken + 1).fill(namespaceIdNamed('x'))],
    ['what is no id', 'namespace_ids[1]', [namespaceIdNamed('x'), 'shared']],
  ])('refuses %s', async (_what, field, ids) => {
    await expect(issue(...ids)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
  });

  it('is signed with keys that agents have been told of before', async () => {
    await shared.share('ana', MemberRole.READER);
    const line = await metadata.online(lisbon);
    const ids = () => line.tokenKeys.map(({ id }) => id);
    const [first] = ids();
    expect(ids()).toHaveLength(1);
    const { tokenKeyMs, tokenKeyNoticeMs, renewCheckMs } = trustLimits;
    clock.advance(tokenKeyMs - tokenKeyNoticeMs);
    await eventually(() => ids().length).toBe(2);
    const verifier = verifierOf(line);
    clock.advance(tokenKeyNoticeMs + renewCheckMs);
    const { accessToken } = await issue(shared.id);
    await verifier.verify(accessToken);
    const [header] = accessToken.split('.');
    const { kid } = JSON.parse(Buffer.from(header!, 'base64url').toString()) as { kid: string };
    expect(kid).not.toBe(first);
    await eventually(ids).toEqual([kid]);
  });
});
