import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import { metadataLimits, wireLimits } from '../../../../common/limits.js';
import { MemberRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import type { AdvertiseRequest } from '../../../../proto/gen/drystone/metadata/v1/locator.js';
import type { TestCaller } from '../../../support/metadata/callers.js';
import { hashesNamed, sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';

const lisbon = sampleAgent('lisbon');
const porto = sampleAgent('porto');
const UNKNOWN = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' };
const none = Buffer.alloc(0);

describe('LocatorService', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;
  let ana: TestCaller<DeviceIdentity>;
  let ben: TestCaller<DeviceIdentity>;

  beforeEach(async () => {
    metadata = await TestMetadata.start();
    namespace = await metadata.namespace('shared', lisbon, porto);
    [ana, ben] = [await member('ana'), await member('ben')];
  });
  afterEach(() => metadata.stop());

  async function member(account: string): Promise<TestCaller<DeviceIdentity>> {
    const device = await metadata.asDevice(account);
    await metadata.calls.access.shareNamespace({ namespaceName: 'shared', account, role: MemberRole.READER });
    return device;
  }

  function advertise({ calls }: TestCaller, change: Partial<AdvertiseRequest> = {}) {
    const addresses = ['192.0.2.1:7500'];
    return calls.locator.advertise({ namespaceId: namespace.id, addresses, cursor: 0n, premises: '', ...change });
  }

  async function peersOf({ calls }: TestCaller): Promise<string[]> {
    const { peers } = await calls.locator.locate({ namespaceId: namespace.id, hashes: none });
    return peers.map(({ deviceId }) => deviceId);
  }

  it('tells of peers what they said of themselves last, and not of the caller', async () => {
    expect(await advertise(ana)).toEqual({ leaseMs: metadataLimits.advertLeaseMs });
    await advertise(ben, { addresses: ['192.0.2.9:1'] });
    await advertise(ben, { addresses: ['192.0.2.2:7500', '[2001:db8::1]:7500'], cursor: 7n, premises: 'porto' });
    const { peers, agents } = await ana.calls.locator.locate({ namespaceId: namespace.id, hashes: none });
    expect(agents).toEqual([]);
    expect(peers).toEqual([
      {
        deviceId: ben.identity.deviceId,
        addresses: ['192.0.2.2:7500', '[2001:db8::1]:7500'],
        cursor: 7n,
        premises: 'porto',
      },
    ]);
    await advertise(ben, { addresses: [] });
    expect(await peersOf(ana)).toEqual([]);
  });

  it('says of each agent which of the blocks it holds', async () => {
    await namespace.commit({ receipts: [namespace.receipt(lisbon, 'a', 'i'), namespace.receipt(porto, 'b')] });
    const hashes = hashesNamed('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i');
    const { agents } = await ana.calls.locator.locate({ namespaceId: namespace.id, hashes });
    expect(agents.map(({ agentId, held }) => [agentId, ...held])).toEqual([
      [lisbon.id, 0b1, 0b1],
      [porto.id, 0b10, 0],
    ]);
  });

  it('is there for members only', async () => {
    await advertise(ana);
    const stranger = await metadata.asDevice('stranger');
    await expect(peersOf(stranger)).rejects.toMatchObject(UNKNOWN);
    await expect(advertise(stranger)).rejects.toMatchObject(UNKNOWN);
    await metadata.calls.access.unshareNamespace({ namespaceName: 'shared', account: 'ben' });
    await expect(peersOf(ben)).rejects.toMatchObject(UNKNOWN);
  });

  it.each<[what: string, field: string, change: Partial<AdvertiseRequest>]>([
    [
      'too many addresses',
      'addresses',
      { addresses: Array.from({ length: 9 }, (_, index) => `192.0.2.1:${index + 1}`) },
    ],
    ['an address that is none', 'addresses[1]', { addresses: ['192.0.2.1:1', 'nowhere'] }],
    ['an address without a port', 'addresses[0]', { addresses: ['192.0.2.1:0'] }],
    ['premises that cannot be', 'premises', { premises: 'Lisbon!' }],
    ['a namespace that is no id', 'namespace_id', { namespaceId: 'shared' }],
  ])('refuses %s', async (_what, field, change) => {
    await expect(advertise(ana, change)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
  });

  it('refuses a list of hashes that is none, or too long', async () => {
    for (const hashes of [Buffer.alloc(33), Buffer.alloc((wireLimits.hashesPerMessage + 1) * 32)]) {
      const refused = ana.calls.locator.locate({ namespaceId: namespace.id, hashes });
      await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'hashes' } });
    }
  });

  it('counts adverts and look-ups', async () => {
    await advertise(ana);
    await ben.calls.locator.locate({ namespaceId: namespace.id, hashes: hashesNamed('a', 'b') });
    expect(await metadata.metric('drystone_metadata_adverts')).toBe(1);
    expect(await metadata.metric('drystone_metadata_adverts_said_total')).toBe(1);
    expect(await metadata.metric('drystone_metadata_locates_total')).toBe(1);
    expect(await metadata.metric('drystone_metadata_locate_hashes_total')).toBe(2);
    expect(await metadata.metric('drystone_metadata_locate_peers_total')).toBe(1);
  });
});
