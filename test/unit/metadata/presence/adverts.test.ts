import { beforeEach, expect, it } from 'vitest';
import type { Cursor, DeviceId, NamespaceId, PremisesName } from '../../../../common/ids.js';
import { metadataLimits, wireLimits } from '../../../../common/limits.js';
import { Adverts, type Advert } from '../../../../metadata/presence/adverts.js';
import { ManualClock } from '../../../support/manual-clock.js';

const NAMESPACE = '1'.repeat(32) as NamespaceId;
const OTHER = '2'.repeat(32) as NamespaceId;

let clock: ManualClock;
let adverts: Adverts;

beforeEach(() => {
  clock = new ManualClock();
  adverts = new Adverts(clock);
});

function device(number: number): DeviceId {
  return number.toString(16).padStart(32, '0') as DeviceId;
}

function advert(number: number, premises?: string): Advert {
  const addresses = [`192.0.2.1:${number + 1}`];
  return { deviceId: device(number), addresses, cursor: 0 as Cursor, premises: premises as PremisesName | undefined };
}

const told = (caller: number): number[] =>
  adverts.peersFor(NAMESPACE, device(caller)).map(({ deviceId }) => Number.parseInt(deviceId, 16));

it('forgets what was not said again within the lease', () => {
  adverts.put(NAMESPACE, advert(1));
  clock.advance(metadataLimits.advertLeaseMs / 2);
  adverts.put(NAMESPACE, advert(2));
  clock.advance(metadataLimits.advertLeaseMs / 2 - 1);
  expect(told(0)).toEqual([1, 2]);
  adverts.put(NAMESPACE, advert(1));
  clock.advance(metadataLimits.advertLeaseMs / 2 + 1);
  expect(told(0)).toEqual([1]);
  clock.advance(metadataLimits.advertLeaseMs);
  expect([told(0), adverts.count]).toEqual([[], 0]);
});

it('keeps namespaces apart', () => {
  adverts.put(NAMESPACE, advert(1));
  adverts.put(OTHER, advert(1));
  adverts.remove(OTHER, device(1));
  expect([told(0), adverts.peersFor(OTHER, device(0)), adverts.count]).toEqual([[1], [], 1]);
});

it("tells those of the caller's premises first, and all of a site the same ones", () => {
  for (let number = 1; number <= 100; number++) adverts.put(NAMESPACE, advert(number, number > 90 ? 'here' : 'there'));
  const known = told(95);
  expect(known).toHaveLength(wireLimits.peersPerAnswer);
  expect(known.slice(0, 9)).toEqual([91, 92, 93, 94, 96, 97, 98, 99, 100]);
  expect(new Set([...told(91), 91])).toEqual(new Set([...known, 95]));
  expect(told(1000).slice(0, 2)).toEqual([1, 2]);
});

it('knows no more than so many of a namespace, and takes another when one is gone', () => {
  for (let number = 0; number < metadataLimits.advertsPerNamespace; number++) adverts.put(NAMESPACE, advert(number));
  const late = metadataLimits.advertsPerNamespace;
  const refused = { code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED' };
  expect(() => adverts.put(NAMESPACE, advert(late))).toThrow(expect.objectContaining(refused) as Error);
  adverts.put(NAMESPACE, advert(3));
  adverts.put(OTHER, advert(late));
  adverts.remove(NAMESPACE, device(7));
  adverts.put(NAMESPACE, advert(late));
  expect(adverts.count).toBe(metadataLimits.advertsPerNamespace + 1);
});
