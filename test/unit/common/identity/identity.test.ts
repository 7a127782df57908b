import { describe, expect, it } from 'vitest';
import {
  describeIdentity,
  identityUri,
  parseIdentityUri,
  type Identity,
} from '../../../../common/identity/identity.js';
import type { AccountName, AgentId, DeviceId, PremisesName } from '../../../../common/ids.js';

const id = '0123456789abcdef0123456789abcdef';
const identities: readonly [uri: string, text: string, Identity][] = [
  [
    `spiffe://drystone/agent/lisbon/${id}`,
    `agent lisbon/${id}`,
    { kind: 'agent', premises: 'lisbon' as PremisesName, agentId: id as AgentId },
  ],
  [
    `spiffe://drystone/device/ana/${id}`,
    `device ana/${id}`,
    { kind: 'device', account: 'ana' as AccountName, deviceId: id as DeviceId },
  ],
  ['spiffe://drystone/metadata', 'metadata', { kind: 'metadata' }],
];

describe('an identity', () => {
  it.each(identities)('has the URI %s and back, and reads %s', (uri, text, identity) => {
    expect(identityUri(identity)).toBe(uri);
    expect(parseIdentityUri(uri)).toEqual(identity);
    expect(describeIdentity(identity)).toBe(text);
  });

  it.each([
    '',
    'spiffe://drystone',
    'spiffe://drystone/',
    'spiffe://drystone/metadata/',
    'spiffe://drystone/metadata/lisbon',
    'spiffe://drystone/metadata//',
    'spiffe://drystone/agent',
    'spiffe://drystone/agent/lisbon',
    `spiffe://drystone/agent/lisbon/${id}/`,
    `spiffe://drystone/agent/lisbon/${id}?x`,
    `spiffe://drystone/agent/Lisbon/${id}`,
    `spiffe://drystone/agent//${id}`,
    `spiffe://drystone/agent/${id}`,
    `spiffe://drystone/device/ana/${id.toUpperCase()}`,
    `spiffe://drystone/device/ana/${id}0`,
    `spiffe://drystone/device/a%6ea/${id}`,
    `spiffe://drystone/peer/ana/${id}`,
    `SPIFFE://drystone/device/ana/${id}`,
    `https://drystone/device/ana/${id}`,
    ` spiffe://drystone/device/ana/${id}`,
  ])('is not what %j names', (uri) => {
    expect(parseIdentityUri(uri)).toBeUndefined();
  });
});
