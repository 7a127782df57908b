import { expect, it, onTestFinished } from 'vitest';
import { announcementOf, readAnnouncement, SERVICE_NAME } from '../../../../client/peers/lan-announcement.js';
import { multicastDiscovery } from '../../../../client/peers/lan-discovery.js';
import type { FoundPeer } from '../../../../client/peers/peer-directory.js';
import { systemClock } from '../../../../common/clock.js';
import type { DeviceId, NamespaceId } from '../../../../common/ids.js';
import { silentLogger } from '../../../../common/logging.js';
import { waitUntil } from '../../../support/wait-until.js';

const NAMESPACE = '0123456789abcdef0123456789abcdef' as NamespaceId;
const OTHER = 'f'.repeat(32) as NamespaceId;
const ana = 'a'.repeat(32) as DeviceId;
const ben = 'b'.repeat(32) as DeviceId;
/** Of multicast DNS in these tests: no other program of the machine listens there. */
const PORT = 15_353;

const said = (listening: string, deviceId = ana) =>
  announcementOf({ namespaceId: NAMESPACE, deviceId, listening, ttl: 60 });

it('members of the namespace read who gives blocks and where; whoever listens on all addresses is where he is heard', () => {
  const heard = readAnnouncement(said('0.0.0.0:7500'), '192.0.2.7', NAMESPACE);
  expect(heard).toEqual({ deviceId: ana, address: '192.0.2.7:7500', ttl: 60 });
  const bound = readAnnouncement(said('192.0.2.9:7500'), '192.0.2.7', NAMESPACE);
  expect(bound?.address).toBe('192.0.2.9:7500');
});

it('to others an announcement tells of no namespace, nor that two endpoints share one', () => {
  const [one, other] = [said('0.0.0.0:7500'), said('0.0.0.0:7500', ben)];
  expect(readAnnouncement(one, '192.0.2.7', OTHER)).toBeUndefined();
  expect(JSON.stringify(one)).not.toContain(NAMESPACE.slice(0, 8));
  const tagOf = (records: typeof one) => records.find(({ type }) => type === 'SRV')!.name;
  expect(tagOf(one)).not.toBe(tagOf(other));
});

it('what is none of ours, or makes no sense, is not read', () => {
  const [pointer, service, text] = said('0.0.0.0:7500');
  const read = (...records: Parameters<typeof readAnnouncement>[0][number][]) =>
    readAnnouncement(records, '192.0.2.7', NAMESPACE);
  expect(read(pointer!, service!)).toBeUndefined();
  expect(read(pointer!, text!)).toBeUndefined();
  const name = `0${text!.name.slice(1)}`;
  const forged = { ...text!, name } as typeof text;
  expect(text!.name.startsWith('0') ? undefined : read(service!, forged!)).toBeUndefined();
  expect(read(service!, { type: 'TXT', name: text!.name, ttl: 60, data: ['d=nobody'] })).toBeUndefined();
  expect(read(service!, { type: 'TXT', name: `x.${SERVICE_NAME}`, ttl: 60, data: [`d=${ana}`] })).toBeUndefined();
});

it('endpoints on one network find each other, hear when one leaves, and not those of other namespaces', async () => {
  const start = (namespaceId: NamespaceId, deviceId: DeviceId, address: string) => {
    const found: { latest: readonly FoundPeer[] } = { latest: [] };
    const options = { namespaceId, deviceId, clock: systemClock, logger: silentLogger(), port: PORT };
    const stop = multicastDiscovery(options).start(address, (peers) => (found.latest = peers));
    onTestFinished(stop);
    return { found, stop };
  };
  const first = start(NAMESPACE, ana, '127.0.0.1:7501');
  const stranger = start(OTHER, 'c'.repeat(32) as DeviceId, '127.0.0.1:7503');
  const second = start(NAMESPACE, ben, '127.0.0.1:7502');
  await waitUntil('both have found each other', () => first.found.latest.length + second.found.latest.length === 2);
  expect(first.found.latest).toEqual([{ deviceId: ben, addresses: ['127.0.0.1:7502'], isNear: true }]);
  expect(second.found.latest).toEqual([{ deviceId: ana, addresses: ['127.0.0.1:7501'], isNear: true }]);
  second.stop();
  await waitUntil('the one that has left is forgotten', () => first.found.latest.length === 0);
  expect(stranger.found.latest).toEqual([]);
});
