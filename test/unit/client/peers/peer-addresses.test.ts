import type { NetworkInterfaceInfo } from 'node:os';
import { expect, it } from 'vitest';
import { reachableAddresses } from '../../../../client/peers/peer-addresses.js';

const at = (address: string, change: Partial<NetworkInterfaceInfo> = {}): NetworkInterfaceInfo =>
  ({ address, family: 'IPv4', internal: false, ...change }) as NetworkInterfaceInfo;
const loopback = [
  at('127.0.0.1', { internal: true }),
  at('::1', { family: 'IPv6', internal: true, scopeid: 0 }),
] as const;
const lan = [
  at('2001:db8::7', { family: 'IPv6', scopeid: 0 }),
  at('fe80::7', { family: 'IPv6', scopeid: 2 }),
  at('192.0.2.7'),
] as const;

it('a listener on one address is reached there', () => {
  expect(reachableAddresses('192.0.2.9:7500', { lan })).toEqual(['192.0.2.9:7500']);
});

it('one on all addresses is reached at those that lead to it from outside, as far as it listens to their kind', () => {
  expect(reachableAddresses('0.0.0.0:7500', { loopback, lan })).toEqual(['192.0.2.7:7500']);
  expect(reachableAddresses('[::]:7500', { loopback, lan })).toEqual(['192.0.2.7:7500', '[2001:db8::7]:7500']);
});

it('where there is only the loopback, that is told; and never more addresses than fit', () => {
  expect(reachableAddresses('0.0.0.0:7500', { loopback })).toEqual(['127.0.0.1:7500']);
  const many = Array.from({ length: 20 }, (_, index) => at(`192.0.2.${index + 1}`));
  expect(reachableAddresses('0.0.0.0:7500', { many })).toHaveLength(8);
});
